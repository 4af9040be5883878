"""Local references of a schema: `#`, `#/a/b` and `#anchor`. No other document is ever fetched."""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

from functionary_sgl.errors import InvalidSchema

# Of a list, as RFC 6901 writes it; no list of a schema has more members than nine digits count.
_INDEX = re.compile("0|[1-9][0-9]{0,8}")


class References:
    """Resolves the references of the document `root`."""

    def __init__(self, root: Any) -> None:
        self._root = root
        self._anchors: dict[str, str] | None = None

    def resolve(self, ref: str) -> tuple[str, Any]:
        """The JSON pointer and the value that `ref` points at.

        Raises InvalidSchema for references that are not local or point at nothing.
        """
        if not ref.startswith("#"):
            raise InvalidSchema(f"The reference '{ref}' is not local; only '#...' is resolved.")
        pointer = unquote(ref[1:])
        if pointer and not pointer.startswith("/"):
            pointer = self._anchor(pointer)
        target: Any = self._root
        for step in _steps(pointer):
            if isinstance(target, list) and _INDEX.fullmatch(step) and int(step) < len(target):
                target = target[int(step)]
            elif isinstance(target, dict) and step in target:
                target = target[step]
            else:
                raise InvalidSchema(f"The reference '{ref}' points at nothing.")
        return pointer, target

    def _anchor(self, name: str) -> str:
        if self._anchors is None:
            self._anchors = dict(_anchors(self._root))
        if name not in self._anchors:
            raise InvalidSchema(f"The reference '#{name}' points at nothing.")
        return self._anchors[name]


def escaped(step: str | int) -> str:
    """One step of a JSON pointer."""
    return str(step).replace("~", "~0").replace("/", "~1")


def _steps(pointer: str) -> Iterator[str]:
    for step in pointer.split("/")[1:]:
        yield step.replace("~1", "/").replace("~0", "~")


def _anchors(root: Any) -> Iterator[tuple[str, str]]:
    left = [("", root)]
    while left:
        pointer, node = left.pop()
        if isinstance(node, dict):
            if isinstance(node.get("$anchor"), str):
                yield node["$anchor"], pointer
            left += [(f"{pointer}/{escaped(key)}", value) for key, value in node.items()]
        elif isinstance(node, list):
            left += [(f"{pointer}/{index}", value) for index, value in enumerate(node)]

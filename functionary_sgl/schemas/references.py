"""Local references of a schema: `#`, `#/a/b`, `#anchor`, and the `$id` of a schema inside it.

No other document is ever fetched.
"""

from contextlib import suppress
from functools import cached_property
from typing import Any
from urllib.parse import unquote

from functionary_sgl.errors import InvalidSchema
from functionary_sgl.schemas.pointers import canonical, value_at
from functionary_sgl.schemas.resources import Resources, readings


class References:
    """Resolves the references of the document `root`."""

    def __init__(self, root: Any) -> None:
        self._root = root

    def resolve(self, ref: str, at: str) -> tuple[str, Any]:
        """The JSON pointer and the value that `ref`, in the schema at `at`, points at.

        What points at nothing from where it should, as in a schema that somebody put whole into
        another, is looked for in the schemas around it, from the inside out.

        Raises InvalidSchema for references that are not local, point at nothing, or mean different
        schemas in different drafts.
        """
        found = self._found(ref, at) or self._around(ref, at)
        if len(found) == 1:
            return found.popitem()
        if found:
            raise InvalidSchema(
                f"The reference '{ref}' means {len(found)} schemas, of one name or by the drafts "
                "of JSON Schema; name the draft with '$schema', or point with '#/...'."
            )
        if ref.startswith("#"):
            raise InvalidSchema(f"The reference '{ref}' points at nothing.")
        raise InvalidSchema(
            f"The reference '{ref}' is not local; only '#...' and the '$id' of a schema in this "
            "one are resolved."
        )

    def is_static(self, ref: Any) -> bool:
        """Whether `ref`, of a `$dynamicRef` or `$recursiveRef`, means the same from wherever its
        schema is used: only one schema has the name that it looks for."""
        name = ref.partition("#")[2] if isinstance(ref, str) else ""
        return all(reading.dynamic.get(name, 0) <= 1 for reading in self._readings)

    @cached_property
    def _readings(self) -> list[Resources]:
        return readings(self._root)

    def _found(self, ref: str, at: str) -> dict[str, Any]:
        """By their pointers, the schemas that `ref` means in the schema at `at`."""
        found: dict[str, Any] = {}
        for reading in self._readings:
            for start, pointer in reading.find(ref, at):
                with suppress(LookupError):
                    target = start + canonical(pointer)
                    found[target] = value_at(self._root, target)
                    reading.include(target, found[target])
        return found

    def _around(self, ref: str, at: str) -> dict[str, Any]:
        pointer = canonical(unquote(ref.removeprefix("#")))
        while ref.startswith("#/") and at:
            with suppress(LookupError):
                return {at + pointer: value_at(self._root, at + pointer)}
            at = at.rpartition("/")[0]
        return {}

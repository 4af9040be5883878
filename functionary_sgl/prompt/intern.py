"""Tools that differ in nothing but the order of their keys are one tool.

JSON objects have no order, and not every client's library keeps one. A prompt shows the properties
in some order, though, and another order would be another prefix for the engine's cache: so a tool
is always shown as it first came, to those who share a prefix cache.
"""

import json
from dataclasses import replace
from threading import Lock

from cachetools import LRUCache

from functionary_sgl.chat.tools import Tool

KNOWN_CHARACTERS = 8_000_000


class ToolMemory:
    """Thread-safe, and bounded by the size of what it holds: tools come here before the gate."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._known: LRUCache[tuple[Tool, str], Tool]
        self._known = LRUCache(KNOWN_CHARACTERS, getsizeof=_size)
        self._first: LRUCache[tuple[str, ...], Tool]
        self._first = LRUCache(KNOWN_CHARACTERS, getsizeof=_size)

    def first(self, tool: Tool, salt: str = "") -> Tool:
        """`tool` in the order in which it came first with this `salt`, unless it alone is more than
        fits.

        Raises InvalidSchema where its parameters cannot be read.
        """
        if _size(tool) > KNOWN_CHARACTERS:
            return tool
        with self._lock:
            known = self._known.get((tool, salt))
        if known is None:
            unordered = json.dumps(tool.parameters, sort_keys=True)
            with self._lock:
                content = tool.name, tool.description, unordered, salt
                known = self._first.setdefault(content, tool)
                self._known[tool, salt] = known
        return replace(tool, parameters_json=known.parameters_json)


def _size(tool: Tool) -> int:
    """About how many characters it takes to remember `tool`."""
    return len(tool.parameters_json) + len(tool.description) + 500

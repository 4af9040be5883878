"""Tools that differ in nothing but the order of their keys are one tool.

JSON objects have no order, and not every client's library keeps one. A prompt shows the properties
in some order, though, and another order would be another prefix for the engine's cache: so a tool
is always shown as it first came.
"""

import json
from dataclasses import replace
from threading import Lock

from cachetools import LRUCache

from functionary_sgl.chat.tools import Tool

KNOWN_TOOLS = 16_384


class ToolMemory:
    """Thread-safe, and bounded by the number of tools."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._known: LRUCache[Tool, Tool] = LRUCache(KNOWN_TOOLS)
        self._first: LRUCache[tuple[str, str, str], Tool] = LRUCache(KNOWN_TOOLS)

    def first(self, tool: Tool) -> Tool:
        """`tool` in the order in which it came first."""
        with self._lock:
            known = self._known.get(tool)
        if known is None:
            unordered = json.dumps(tool.parameters, sort_keys=True)
            with self._lock:
                known = self._first.setdefault((tool.name, tool.description, unordered), tool)
                self._known[tool] = known
        return replace(tool, parameters_json=known.parameters_json)

"""Function definitions as JSON, for the formats whose models read them so."""

import json
from threading import Lock

from cachetools import LRUCache, cached

from functionary_sgl.chat.schema import resolved
from functionary_sgl.chat.tools import Tool

CACHE_CHARACTERS = 8_000_000


@cached(LRUCache(CACHE_CHARACTERS, getsizeof=len), lock=Lock())
def definition(tool: Tool) -> str:
    """Name, description and parameters of `tool`, keys in this order, references resolved; the
    parameters are null where the client gave none. Raises InvalidSchema as `resolved` does."""
    parameters = None if tool.parameters is None else resolved(tool)
    content = {"name": tool.name, "description": tool.description, "parameters": parameters}
    return json.dumps(content, ensure_ascii=False)

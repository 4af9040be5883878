"""Functions and calls as JSON, for the formats whose models read them so."""

import json
from threading import Lock

from cachetools import LRUCache, cached

from functionary_sgl.chat.conversation import Call
from functionary_sgl.chat.schema import resolved
from functionary_sgl.chat.tools import CODE_INTERPRETER, Tool

CACHE_CHARACTERS = 8_000_000


@cached(LRUCache(CACHE_CHARACTERS, getsizeof=len), lock=Lock())
def definition(tool: Tool) -> str:
    """Name, description and parameters of `tool`, keys in this order, references resolved; the
    parameters are null where the client gave none. Raises InvalidSchema as `resolved` does."""
    parameters = None if tool.parameters_json == "null" else resolved(tool)
    content = {"name": tool.name, "description": tool.description, "parameters": parameters}
    return json.dumps(content, ensure_ascii=False)


def json_arguments(call: Call) -> str:
    """The arguments as they stand in a JSON call; those of the code interpreter are an object with
    the code in it."""
    if call.name != CODE_INTERPRETER:
        return call.arguments
    return json.dumps({"code": call.arguments}, ensure_ascii=False)

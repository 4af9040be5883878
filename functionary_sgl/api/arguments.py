"""Arguments of calls in a history, which clients have parsed, as the text that a model writes."""

from collections.abc import Mapping
from typing import Any

from functionary_sgl.chat.json_text import written
from functionary_sgl.chat.tools import CODE_INTERPRETER
from functionary_sgl.errors import InvalidSchema, RequestError


def arguments_text(name: str, given: Mapping[str, Any], path: str) -> str:
    """The text of the arguments `given` of a call of `name`, which the request has at `path`; of
    the code interpreter, the code. RequestError for numbers that are no JSON."""
    if name == CODE_INTERPRETER and given.keys() == {"code"} and isinstance(given["code"], str):
        code: str = given["code"]
        return code
    try:
        return written(given)
    except InvalidSchema as error:
        raise RequestError(error.message, param=f"{path}{error.param}") from error

"""Answers that have to be JSON, as requests ask for them."""

import json
from typing import Any

from pydantic import TypeAdapter, ValidationError

from functionary_sgl.chat.forms import JSONAnswer
from functionary_sgl.chat.json_text import parsed
from functionary_sgl.chat.schema import with_parameters
from functionary_sgl.errors import RequestError

_BOOLEAN: TypeAdapter[bool | None] = TypeAdapter(bool | None)

_ANYTHING = json.dumps({"type": "object", "additionalProperties": True})


def any_object(path: str) -> JSONAnswer:
    """Any JSON object, as the request asks for it at `path`."""
    return JSONAnswer("answer", parameters_json=_ANYTHING, path=path)


def by_schema(schema: Any, path: str, *, strict: bool = False) -> JSONAnswer:
    """What follows `schema`, an object or its text, which the request has at `path`; RequestError
    where that is none."""
    if isinstance(schema, str):
        try:
            schema = parsed(schema)
        except ValueError as error:
            raise RequestError(f"The schema is no JSON: {error}", param=path) from error
    if not isinstance(schema, dict):
        raise RequestError("A JSON Schema must be an object.", param=path)
    return with_parameters(JSONAnswer("answer", strict=strict, path=path), schema)


def strict_flag(given: Any, path: str) -> bool:
    """The flag in the spellings that are taken of tools; RequestError, naming `path`, for another
    thing."""
    try:
        return _BOOLEAN.validate_python(given) or False
    except ValidationError as error:
        raise RequestError(f"Invalid value for '{path}': not a boolean.", param=path) from error

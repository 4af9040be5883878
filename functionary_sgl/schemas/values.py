"""Values of keywords: what they must look like."""

import sys
from typing import Any

from functionary_sgl.errors import InvalidSchema
from functionary_sgl.schemas import keywords
from functionary_sgl.schemas.bounds import MAX_MULTIPLE

_LISTS = ("enum", "allOf", "anyOf", "oneOf", "prefixItems")
_MAPS = (
    "properties",
    "patternProperties",
    "dependencies",
    "dependentRequired",
    "dependentSchemas",
)
_COUNTS = (*keywords.COUNTS, "minContains", "maxContains")
_NUMBERS = (*keywords.NUMBERS, "multipleOf")


def checked(keyword: str, value: Any, pointer: str) -> Any:
    """`value` as JSON Schema 2020-12 has it for `keyword`; InvalidSchema if it does not."""
    wanted = None
    if keyword in _LISTS and not (isinstance(value, list) and value):
        wanted = "a list that is not empty"
    elif keyword in _MAPS and not isinstance(value, dict):
        wanted = "an object"
    elif keyword == "uniqueItems" and not isinstance(value, bool):
        wanted = "true or false"
    elif keyword == "format" and not isinstance(value, str):
        wanted = "a name"
    elif keyword == "required":
        if isinstance(value, list) and all(isinstance(name, str) for name in value):
            return list(dict.fromkeys(value))
        wanted = "a list of names"
    elif keyword in _COUNTS:
        if is_number(value) and value >= 0 and float(value).is_integer():
            return int(value)
        wanted = "a whole number, 0 or more"
    elif keyword in _NUMBERS and not (is_number(value) and (keyword != "multipleOf" or value > 0)):
        wanted = "a number above 0" if keyword == "multipleOf" else "a number"
    if wanted:
        raise InvalidSchema(f"'{keyword}' must be {wanted}.", param=pointer)
    return value


def is_number(value: Any) -> bool:
    """Whether `value` is a JSON number that a float can hold."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return abs(value) <= sys.float_info.max


def is_small_multiple(value: float) -> bool:
    """Whether a grammar for `multipleOf: value` stays small."""
    digits = f"{value:.9f}".rstrip("0").replace(".", "").lstrip("0")
    return bool(digits) and float(f"{value:.9f}") == value and int(digits) <= MAX_MULTIPLE

"""Arguments of calls as models of several formats write them, and what of them these can."""

import contextlib
import json
import re
from collections.abc import Callable
from typing import Any

from functionary_sgl.chat.json_text import parsed
from functionary_sgl.grammars.keywords import Keywords
from functionary_sgl.grammars.marks import Marks
from functionary_sgl.grammars.parameters import Places

Call = tuple[str, str]

_NO_NAME = re.compile(r"[\x00-\x20=(),'\"\[\]{}]")


def as_json(call: Call) -> str:
    """The arguments of a call in JSON, code among them."""
    name, payload = call
    return json.dumps({"code": payload}, ensure_ascii=False) if name == "python" else payload


def as_text(value: Any) -> str:
    """As chat templates show it that make texts of values in Python's way."""
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)
    return str(value)


def each(arguments: str, shown: Callable[[str, Any], str]) -> str:
    """Each member of the arguments as it is `shown`."""
    try:
        values = parsed(arguments)
    except ValueError:
        return arguments
    if not isinstance(values, dict):
        return arguments
    return "".join(shown(key, value) for key, value in values.items())


def in_python(call: Call) -> str:
    """The call with its arguments by name."""
    made = each(as_json(call), lambda key, value: f"{key}={python_literal(value)}, ")
    return f"{call[0]}({made.removesuffix(', ')})"


def python_literal(value: Any) -> str:
    """As Python has it, every other string in its usual quotes."""
    match value:
        case dict():
            members = (f"{python_literal(k)}: {python_literal(v)}" for k, v in value.items())
            return f"{{{', '.join(members)}}}"
        case list():
            return f"[{', '.join(map(python_literal, value))}]"
        case str():
            quoted = json.dumps(value, ensure_ascii=False)
            inside = quoted[1:-1].replace('\\"', '"').replace("'", "\\'")
            return f"'{inside}'" if len(value) % 2 else quoted
    return str(value)


def told(arguments: str, places: Places) -> str:
    """`arguments` without texts that are JSON of something else, or look so in Python, where these
    are not told apart, and without names that what is behind a name would end."""
    try:
        values = parsed(arguments)
    except ValueError:
        return arguments
    if not isinstance(values, dict):
        return arguments
    for key, value in values.items():
        if isinstance(places, Marks) and isinstance(value, str) and _is_other(value):
            values[key] = f"text {value}"
    values = {key.replace(places.value, "-"): value for key, value in values.items()}
    if isinstance(places, Keywords):
        values = {_NO_NAME.sub("-", key) or "_": value for key, value in values.items()}
    return json.dumps(values, ensure_ascii=False)


def _is_other(text: str) -> bool:
    with contextlib.suppress(ValueError):
        return not isinstance(parsed(text), str)
    return text in ("True", "False", "None")

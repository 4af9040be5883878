"""What an answer in text has to be: `response_format`, and the fields of other servers for it."""

from collections.abc import Iterator
from typing import Any

from functionary_sgl.api.chat.requests import ChatRequest
from functionary_sgl.api.json_answers import any_object, by_schema, strict_flag
from functionary_sgl.chat.forms import Answer, OneOf, TextAnswer
from functionary_sgl.errors import RequestError

PARAM = "response_format"


def answer(request: ChatRequest) -> Answer | None:
    """What text must be; None: any text.

    Raises RequestError for a form that is none, and for two of them.
    """
    found = list(_found(request))
    if len(found) > 1:
        raise RequestError(
            f"'{found[0][0]}' and '{found[1][0]}' both say what the answer must be; send one.",
            param=found[1][0],
        )
    return found[0][1] if found else None


def _found(request: ChatRequest) -> Iterator[tuple[str, Answer]]:
    """All that is said of the answer, each with the field that says it."""
    if (formatted := _response_format(request.response_format)) is not None:
        yield PARAM, formatted
    for name in ("guided_json", "json_schema"):
        if (schema := getattr(request, name)) is not None:
            yield name, by_schema(schema, name)
    for name in ("guided_regex", "regex"):
        if (pattern := getattr(request, name)) is not None:
            yield name, TextAnswer("regex", pattern, name)
    for name in ("guided_grammar", "ebnf", "grammar"):
        if (grammar := getattr(request, name)) is not None:
            yield name, TextAnswer("grammar", grammar, name)
    if request.guided_choice is not None:
        yield "guided_choice", _one_of(request.guided_choice, "guided_choice")
    if request.structured_outputs is not None:
        yield "structured_outputs", _structured(request.structured_outputs)


def _response_format(asked: dict[str, Any] | None) -> Answer | None:
    """OpenAI's kinds, with what Together, llama.cpp, Fireworks and text-generation-inference have
    besides."""
    kind = (asked or {}).get("type", "text")
    if asked is None or kind == "text":
        return None
    if kind in ("json_object", "json"):
        for key in ("schema", "value"):
            if asked.get(key) is not None:
                return by_schema(asked[key], f"{PARAM}.{key}")
        return any_object(PARAM)
    if kind == "json_schema":
        return _by_schema(asked)
    if kind in ("regex", "grammar"):
        keys = ("pattern", "regex", "value") if kind == "regex" else ("grammar", "value")
        return _by_text(asked, kind, keys)
    raise RequestError(
        f"Invalid value: '{kind}'. Supported values are: 'text', 'json_object', 'json_schema', "
        "'regex', and 'grammar'.",
        param=f"{PARAM}.type",
    )


def _by_schema(asked: dict[str, Any]) -> Answer:
    """`{"json_schema": {"schema": ..., "strict": ...}}`; the schema may stand beside the type."""
    for key in ("json_schema", "value"):
        described = asked.get(key)
        if isinstance(described, dict) and described.get("schema") is not None:
            strict = strict_flag(described.get("strict"), f"{PARAM}.{key}.strict")
            return by_schema(described["schema"], f"{PARAM}.{key}.schema", strict=strict)
    if asked.get("schema") is not None:
        strict = strict_flag(asked.get("strict"), f"{PARAM}.strict")
        return by_schema(asked["schema"], f"{PARAM}.schema", strict=strict)
    raise RequestError(
        "'json_schema' needs a 'schema', the JSON Schema of the answer.",
        param=f"{PARAM}.json_schema.schema",
    )


def _by_text(asked: dict[str, Any], kind: Any, keys: tuple[str, ...]) -> Answer:
    key = next((key for key in keys if asked.get(key) is not None), keys[0])
    return TextAnswer(kind, _text(asked.get(key), f"{PARAM}.{key}"), f"{PARAM}.{key}")


# vLLM's; each is one way to say it, the others say how the engine shall do it.
_WAYS = ("json", "regex", "choice", "grammar", "json_object")
_HINTS = {"disable_any_whitespace", "disable_additional_properties", "disable_fallback"}


def _structured(asked: dict[str, Any]) -> Answer:
    given = {key: value for key, value in asked.items() if value not in (None, False)}
    ways = [way for way in _WAYS if way in given]
    for key in given.keys() - _HINTS - set(ways):
        raise RequestError(
            f"'{key}' cannot be honoured here; use one of {', '.join(_WAYS)}.",
            param=f"structured_outputs.{key}",
        )
    if len(ways) != 1:
        raise RequestError(
            f"'structured_outputs' needs exactly one of {', '.join(_WAYS)}.",
            param="structured_outputs",
        )
    (way,) = ways
    value, path = given[way], f"structured_outputs.{way}"
    if way == "json_object":
        return any_object(path)
    if way == "json":
        return by_schema(value, path)
    if way == "choice":
        return _one_of(value, path)
    return TextAnswer("regex" if way == "regex" else "grammar", _text(value, path), path)


def _one_of(texts: Any, path: str) -> Answer:
    if not isinstance(texts, list) or not texts or not all(isinstance(t, str) for t in texts):
        raise RequestError("It must be a list of one text or more.", param=path)
    if not all(texts):
        raise RequestError("No text among which is chosen may be empty.", param=path)
    return OneOf(tuple(dict.fromkeys(texts)), path)


def _text(value: Any, path: str) -> str:
    if not isinstance(value, str):
        raise RequestError("It must be a text.", param=path)
    return value

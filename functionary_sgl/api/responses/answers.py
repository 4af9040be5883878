"""What an answer in text has to be: `text.format`."""

from functionary_sgl.api.json_answers import any_object, by_schema, strict_flag
from functionary_sgl.api.responses.requests import ResponsesRequest
from functionary_sgl.chat.forms import Answer
from functionary_sgl.errors import RequestError

PARAM = "text.format"


def answer(request: ResponsesRequest) -> Answer | None:
    """What text must be; None: any text. RequestError for a form that is none."""
    asked = (request.text.format if request.text else None) or {"type": "text"}
    kind = asked.get("type")
    if kind == "text":
        return None
    if kind == "json_object":
        return any_object(PARAM)
    if kind == "json_schema":
        for field, wanted in (("name", str), ("schema", dict)):
            if not isinstance(asked.get(field), wanted):
                raise RequestError(
                    f"A format of the type 'json_schema' needs a '{field}'.",
                    param=f"{PARAM}.{field}",
                )
        strict = strict_flag(asked.get("strict"), f"{PARAM}.strict")
        return by_schema(asked["schema"], f"{PARAM}.schema", strict=strict)
    raise RequestError(
        f"Invalid value: '{kind}'. Supported values are: 'text', 'json_object', and 'json_schema'.",
        param=f"{PARAM}.type",
    )

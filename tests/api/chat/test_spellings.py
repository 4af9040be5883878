"""What a model writes is what the client gets, character by character, wherever it is valid."""

import json
from typing import Any

import pytest

from tests.formats import PROMPTERS
from tests.serving import scripted_model, serving

WRITTEN = (
    r'{"s": "caf\u00e9 \/ \ud83d\ude00 \u00E9", "n": -6.022e23, "id": 1198765432109876543,'
    r' "e": "na\u00efve", "p": "https:\/\/a.org", "f": "zoë@b.org", "free": {"\u00fc": 1e-07}}'
)
PARAMETERS: dict[str, Any] = {
    "type": "object",
    "properties": {
        "s": {"type": "string", "maxLength": 10},
        "n": {"type": "number"},
        "id": {"enum": [1198765432109876543, 1198765432109876545]},
        "e": {"enum": ["naïve", "other"]},
        "p": {"type": "string", "pattern": "^https://"},
        "f": {"type": "string", "format": "email"},
        "free": {"type": "object"},
    },
    "required": ["s"],
}


def body(strict: bool, stream: bool) -> dict[str, Any]:
    parameters = json.loads(json.dumps(PARAMETERS))
    if strict:
        del parameters["properties"]["f"]["format"]
    function = {"name": "f", "parameters": parameters, "strict": strict}
    tools = [{"type": "function", "function": function}]
    messages = [{"role": "user", "content": "Hi"}]
    return {"model": "m", "messages": messages, "tools": tools, "stream": stream}


@pytest.mark.parametrize(
    ("constraints", "strict"), [("schema", True), ("schema", False), ("names", False)]
)
def test_arguments_are_what_the_model_wrote(constraints: Any, strict: bool) -> None:
    reply = {"turn": f"f\n{WRITTEN}"}
    model = scripted_model(PROMPTERS["v3.llama3"], reply, constraints=constraints)
    with serving(model) as served:
        whole = served.http.post("/v1/chat/completions", json=body(strict, False))
        (call,) = whole.json()["choices"][0]["message"]["tool_calls"]
        assert call["function"]["arguments"] == WRITTEN
        streamed = served.http.post("/v1/chat/completions", json=body(strict, True)).text
    told = whole.headers.get("functionary-unenforced", "")
    assert ("/properties/f/format" in told) is (constraints == "schema" and not strict)
    chunks = [json.loads(line[6:]) for line in streamed.splitlines() if line.startswith("data: {")]
    calls = [call for chunk in chunks for c in chunk["choices"] for call in _calls(c["delta"])]
    assert "".join(call["function"].get("arguments") or "" for call in calls) == WRITTEN


def _calls(delta: dict[str, Any]) -> list[dict[str, Any]]:
    return delta.get("tool_calls") or []

"""Requests of real clients that once went wrong, and what comes of each now; their kinds are tested
where they belong."""

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from functionary_sgl.api.chat import intake
from functionary_sgl.api.chat.requests import ChatRequest
from tests.formats import PROMPTERS
from tests.paths import DATA
from tests.serving import scripted_model, serving

CASES = {
    case["name"]: case
    for case in json.loads((DATA / "requests.json").read_text(encoding="utf-8"))["cases"]
}
HELLO = {"turn": "all\nHello"}


def message(answer: httpx.Response) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()["choices"][0]["message"]
    return told


def arguments(answer: httpx.Response) -> Any:
    (call,) = message(answer)["tool_calls"]
    return json.loads(call["function"]["arguments"])


def unenforced(answer: httpx.Response) -> str:
    return answer.headers.get("functionary-unenforced", "")


def refusal(answer: httpx.Response, status: int = 400) -> tuple[str | None, str]:
    assert answer.status_code == status, answer.text
    error = answer.json()["error"]
    return error["param"], error["message"]


def shown(name: str, format: str) -> str:
    """The prompt that the request of a case becomes."""
    request = ChatRequest.from_json(json.dumps(CASES[name]["request"]["body"]))
    return PROMPTERS[format].prompt(intake.conversation(request))


def integer_beyond_2_53(answer: httpx.Response) -> None:
    if answer.status_code == 200:
        assert arguments(answer) == {"channel_id": 1198765432109876543}
    else:
        assert "enum" in (refusal(answer)[0] or "")


def required_not_listed_nested(answer: httpx.Response) -> None:
    if "edits" not in unenforced(answer):
        assert arguments(answer) == {"edits": [{"x": "a", "y": "b"}]}


def description_null(answer: httpx.Response) -> None:
    assert message(answer)["content"] == "Hello"


def duplicate_call_ids(answer: httpx.Response) -> None:
    assert message(answer)["content"] == "Hello"
    for format, named in (("v2", "<|from|>{}\n"), ("v2.llama3", "name={}\n"), ("v1", "name={}:\n")):
        prompt = shown("duplicate-call-ids", format)
        texts = (named.format("get_time"), "12:00", named.format("get_weather"), "sunny")
        places = [prompt.find(text) for text in texts]
        assert -1 < places[0] < places[1] < places[2] < places[3]


def constraint_fields_dropped(answer: httpx.Response) -> None:
    if answer.status_code == 200:
        assert isinstance(json.loads(message(answer)["content"])["height"], int | float)
    else:
        assert refusal(answer)[0] == "guided_json"


def refusal_part(answer: httpx.Response) -> None:
    assert message(answer)["content"] == "Hello"
    assert "I cannot help with that." in shown("refusal-part", "v3.llama3")


def orphan_tool_result(answer: httpx.Response) -> None:
    assert message(answer)["content"] == "Hello"
    assert "22 C" in shown("orphan-tool-result", "v3.llama3")


def result_error_misleads(answer: httpx.Response) -> None:
    assert message(answer)["content"] == "Hello"
    prompt = shown("result-error-misleads", "v3.llama3")
    assert prompt.find("Istanbul") < prompt.find("22 C") < prompt.find("wait")


def response_format_array_root(answer: httpx.Response) -> None:
    if answer.status_code == 200:
        assert isinstance(json.loads(message(answer)["content"]), list)
    else:
        place, reason = refusal(answer)
        assert (place or "").startswith("response_format")
        assert "function" not in reason


def cors_preflight(answer: httpx.Response) -> None:
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == "http://localhost:5173"
    assert "authorization" in answer.headers["access-control-allow-headers"]


def responses(answer: httpx.Response) -> None:
    """Another protocol that is served."""
    assert answer.json()["status"] == "completed"
    assert answer.json()["output"][0]["content"][0]["text"] == "Hello"


def messages(answer: httpx.Response) -> None:
    """The same."""
    assert answer.json()["stop_reason"] == "end_turn"
    assert answer.json()["content"] == [{"type": "text", "text": "Hello"}]


def image_in_tool_result(answer: httpx.Response) -> None:
    place, reason = refusal(answer)
    assert place == "messages[2].content[1]"
    assert "sees no images" in reason
    assert "<|reserved_special_token_250|>" in shown("image-in-tool-result", "v3.llava_llama")


def continue_final_message(answer: httpx.Response) -> None:
    if answer.status_code == 200:
        assert message(answer)["content"]
        prompt = shown("continue-final-message", "v3.llama3")
        assert prompt.endswith("Dear John,")
    else:
        assert refusal(answer)[0] == "continue_final_message"


def head_and_root(answer: httpx.Response) -> None:
    assert answer.status_code == 200
    assert answer.content == b""


def other_tool_types(answer: httpx.Response) -> None:
    assert message(answer)["content"] == "Hello"


EXPECTED: dict[str, Callable[[httpx.Response], None]] = {
    "integer-beyond-2-53": integer_beyond_2_53,
    "required-not-listed-nested": required_not_listed_nested,
    "description-null": description_null,
    "duplicate-call-ids": duplicate_call_ids,
    "constraint-fields-dropped": constraint_fields_dropped,
    "refusal-part": refusal_part,
    "orphan-tool-result": orphan_tool_result,
    "result-error-misleads": result_error_misleads,
    "response-format-array-root": response_format_array_root,
    "cors-preflight": cors_preflight,
    "responses-endpoint": responses,
    "anthropic-messages": messages,
    "image-in-tool-result": image_in_tool_result,
    "continue-final-message": continue_final_message,
    "head-and-root": head_and_root,
    "other-tool-types": other_tool_types,
}


def test_each_case_has_its_expectation() -> None:
    assert EXPECTED.keys() == CASES.keys()


@pytest.mark.parametrize("name", CASES)
def test_real_requests(name: str) -> None:
    case = CASES[name]
    request = case["request"]
    body = request["body"] and json.dumps({**request["body"], "model": "m"})
    reply = json.loads(case["script_reply"] or "null") or HELLO
    model = scripted_model(PROMPTERS["v3.llama3"], reply)
    with serving(model, origins=["http://localhost:5173"]) as served:
        asked = request["method"], request["path"]
        EXPECTED[name](served.http.request(*asked, headers=request["headers"], content=body))

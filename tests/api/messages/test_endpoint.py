"""Messages as Anthropic's own client sees them."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import anthropic
import pydantic
import pytest

from tests.api.messages.asking import ASK, CALL, HI, NAME, QUESTION, TOOL, ask, respond, said
from tests.api.test_metrics import Change
from tests.formats import PROMPTERS, written
from tests.serving import Served, scripted_model, serving

Serve = Callable[..., Served]


def test_text(serve: Serve) -> None:
    answer = respond(serve({"turn": "all\nHello!"}), **ASK)
    assert said(answer) == [("text", "Hello!")]
    assert (answer.stop_reason, answer.stop_sequence) == ("end_turn", None)
    assert answer.id.startswith("msg_")
    assert answer.model == "m"
    assert answer._request_id is not None
    assert answer._request_id.startswith("req_")


@pytest.mark.parametrize("chunk", [1, "char", "all"])
def test_text_and_parallel_calls(serve: Serve, chunk: Any) -> None:
    turn = f"all\nLet me see.>>>{CALL}>>>{CALL.replace('Istanbul', 'Oslo')}"
    answer = respond(serve({"turn": turn, "chunk": chunk}), **ASK)
    assert said(answer) == [
        ("text", "Let me see."),
        ("tool_use", NAME, {"location": "Istanbul"}),
        ("tool_use", NAME, {"location": "Oslo"}),
    ]
    assert answer.stop_reason == "tool_use"
    ids = [block.to_dict()["id"] for block in answer.content[1:]]
    assert len(set(ids)) == 2
    assert all(str(call_id).startswith("toolu_") for call_id in ids)


def test_a_model_that_says_nothing_gives_no_block(serve: Serve) -> None:
    answer = respond(serve({"turn": "all\n"}), **ASK)
    assert said(answer) == []
    assert answer.stop_reason == "end_turn"


def test_reasoning_is_a_block_and_its_tokens_are_counted() -> None:
    turn = written("hermes", "Hello.", [], "They greet me.")
    asked: dict[str, Any] = {"model": "m", "max_tokens": 99, "messages": [HI]}
    with serving(scripted_model(PROMPTERS["hermes"], {"turn": turn})) as served:
        for kind in ({"type": "enabled", "budget_tokens": 2048}, {"type": "adaptive"}):
            answer = respond(served, **asked, thinking=kind)
            assert said(answer) == [("thinking", "They greet me."), ("text", "Hello.")]
            assert answer.content[0].to_dict()["signature"] == "unsigned"
            details = answer.usage.output_tokens_details
            assert details is not None
            assert 0 < details.thinking_tokens < answer.usage.output_tokens
        answer = respond(served, **asked, thinking={"type": "adaptive", "display": "omitted"})
        assert said(answer) == [("thinking", ""), ("text", "Hello.")]
        answer = respond(served, **asked, thinking={"type": "disabled"})
        details = answer.usage.output_tokens_details
        assert details is not None
        assert details.thinking_tokens == 0


def test_a_model_without_reasoning_cannot_be_told_to_reason(serve: Serve) -> None:
    served = serve({"turn": "all\nHello!"})
    thinking = {"type": "enabled", "budget_tokens": 1024}
    refused = ask(served, thinking=thinking)
    assert refused.status_code == 400
    assert "leave out 'thinking'" in refused.json()["error"]["message"]
    assert ask(served, thinking={"type": "adaptive", "budget_tokens": 0}).status_code == 200
    assert ask(served, thinking={"type": "disabled"}).status_code == 200


def test_a_stop_sequence_is_named(serve: Serve) -> None:
    served = serve({"turn": "all\nOne. Two. Three."})
    answer = respond(served, **ASK, stop_sequences=["Three", " Two"])
    assert said(answer) == [("text", "One.")]
    assert (answer.stop_reason, answer.stop_sequence) == ("stop_sequence", " Two")
    many = [f"<{number}>" for number in range(64)]
    assert respond(served, **ASK, stop_sequences=many).stop_reason == "end_turn"


def test_calls_wait_for_their_results_whatever_stopped_the_turn() -> None:
    turn = written("hermes", "", [(NAME, '{"location": "Oslo"}')]) + "\nDone. END"
    with serving(scripted_model(PROMPTERS["hermes"], {"turn": turn})) as served:
        answer = respond(served, **ASK, stop_sequences=["END"])
        if answer.stop_sequence is not None:  # the format has text behind calls
            assert answer.stop_sequence == "END"
        assert answer.stop_reason == "tool_use"


def test_an_answer_that_is_cut_short_says_by_what(serve: Serve) -> None:
    turn = {"turn": f"{NAME}\n" + json.dumps({"location": "a" * 99})}
    answer = respond(serve(turn), **{**ASK, "max_tokens": 12})
    assert answer.stop_reason == "max_tokens"
    assert answer.usage.output_tokens == 12
    assert said(answer)[0][0] == "tool_use"
    words = {"turn": "all\n" + "word " * 400}
    with serving(scripted_model(PROMPTERS["v3.llama3"], words, context=200)) as served:
        answer = respond(served, **{**ASK, "max_tokens": 4096})
        assert answer.stop_reason == "model_context_window_exceeded"
        few = respond(served, **{**ASK, "max_tokens": 5})
        assert few.stop_reason == "max_tokens"


@pytest.mark.parametrize(
    ("choice", "turn", "expected"),
    [
        ({"type": "auto"}, CALL, ["tool_use"]),
        ({"type": "any"}, "all\nNo.", ["tool_use"]),
        ({"type": "none"}, CALL, ["text"]),
        ({"type": "tool", "name": NAME}, "all\nNo.", ["tool_use"]),
        ({"type": "auto"}, f"{CALL}>>>{CALL}", ["tool_use", "tool_use"]),
        ({"type": "auto", "disable_parallel_tool_use": True}, f"{CALL}>>>{CALL}", ["tool_use"]),
        ({"type": "any", "disable_parallel_tool_use": True}, f"{CALL}>>>{CALL}", ["tool_use"]),
        ({"type": "any", "disable_parallel_tool_use": False}, f"{CALL}>>>{CALL}", ["tool_use"] * 2),
    ],
)
def test_choices(serve: Serve, choice: Any, turn: str, expected: list[str]) -> None:
    answer = respond(serve({"turn": turn}), **ASK, tool_choice=choice)
    assert [block.type for block in answer.content] == expected
    assert answer.stop_reason == ("tool_use" if "tool_use" in expected else "end_turn")


class Day(pydantic.BaseModel):
    name: str
    number: int


def test_the_client_parses_a_form(serve: Serve) -> None:
    served = serve({"turn": 'all\n{"name": "Monday", "number": 1}'})
    asked: Any = {"model": "m", "max_tokens": 99, "messages": [HI], "output_format": Day}
    assert served.anthropic.messages.parse(**asked).parsed_output == Day(name="Monday", number=1)
    with served.anthropic.messages.stream(**asked) as stream:
        assert stream.get_final_message().parsed_output == Day(name="Monday", number=1)


def test_a_form_is_kept(serve: Serve) -> None:
    served = serve({"turn": "all\nSorry."})
    form = {"type": "json_schema", "schema": {"type": "integer"}}
    asked = {"model": "m", "max_tokens": 99, "messages": [HI]}
    for fields in ({"output_config": {"format": form}}, {"extra_body": {"output_format": form}}):
        ((_, text),) = said(respond(served, **asked, **fields))
        assert isinstance(json.loads(text), int)


def test_an_answer_goes_on_in_the_last_message(serve: Serve) -> None:
    begun = {"role": "assistant", "content": "The best answer is ("}
    served = serve({"turn": "B)"})
    answer = respond(served, **{**ASK, "messages": [HI, begun]})
    assert said(answer) == [("text", "B)")]
    # What is empty begins nothing.
    served = serve({"turn": "all\nHello!"})
    for empty in ("", []):
        nothing = {"role": "assistant", "content": empty}
        assert said(respond(served, **{**ASK, "messages": [HI, nothing]})) == [("text", "Hello!")]


def test_the_asynchronous_client(serve: Serve) -> None:
    served = serve({"turn": f"all\nLet me see.>>>{CALL}"})

    async def run() -> list[Any]:
        client = anthropic.AsyncAnthropic(base_url=served.url, api_key="none", max_retries=0)
        async with client:
            whole = await client.messages.create(**ASK)
            async with client.messages.stream(**ASK) as stream:
                texts = [text async for text in stream.text_stream]
                return [whole, await stream.get_final_message(), "".join(texts)]

    whole, streamed, text = asyncio.run(run())
    assert said(whole) == said(streamed)
    assert text == "Let me see."


def test_the_clients_loop_over_tools(serve: Serve) -> None:
    asked: list[str] = []

    @anthropic.beta_tool
    def get_weather(city: str) -> str:
        """The weather of a city.

        Args:
            city: Where.
        """
        asked.append(city)
        return "31 degrees"

    served = serve(
        {"match": "31 degrees", "turn": "all\nIt is warm."},
        {"turn": 'get_weather\n{"city": "Istanbul"}>>>get_weather\n{"city": "Oslo"}'},
    )
    for stream in (False, True):
        runner: Any = served.anthropic.beta.messages.tool_runner(
            model="m", max_tokens=99, messages=[QUESTION], tools=[get_weather], stream=stream
        )
        answers = [each.get_final_message() if stream else each for each in runner]
        assert [answer.stop_reason for answer in answers] == ["tool_use", "end_turn"]
        assert answers[-1].content[0].text == "It is warm."
    assert asked == ["Istanbul", "Oslo"] * 2


@pytest.mark.parametrize("path", ["/v1/messages", "/v1/messages/count_tokens"])
def test_requests_are_counted_by_their_endpoint(serve: Serve, path: str) -> None:
    change = Change("functionary_requests_total", endpoint=path, status="200", key="")
    assert ask(serve({"turn": "all\nHello!"}), path).status_code == 200
    assert change(1)


def test_what_was_cached_is_told_beside_the_input(serve: Serve) -> None:
    served = serve({"turn": "all\nHello!"})
    first = respond(served, **ASK).usage
    again = served.anthropic.messages.create(**ASK).usage
    for usage in (first, again):
        assert usage.cache_creation_input_tokens == 0
        assert usage.cache_read_input_tokens is not None
    total = first.input_tokens + (first.cache_read_input_tokens or 0)
    assert again.input_tokens + (again.cache_read_input_tokens or 0) == total


def test_numbers_are_told_as_the_model_wrote_them(serve: Serve) -> None:
    numbers = '{"a": 123456789012345678901234567890, "b": 1.10, "c": 1e300}'
    tool = {"name": "f", "input_schema": {"type": "object", "additionalProperties": True}}
    answer = ask(serve({"turn": f"f\n{numbers}"}), tools=[tool])
    assert numbers in answer.text


def test_where_nothing_is_enforced_an_input_may_be_no_object() -> None:
    for text, told in (("[1, ", [1]), ('"no"', "no"), ("nonsense", "nonsense")):
        model = scripted_model(
            PROMPTERS["v3.llama3"], {"turn": f"{NAME}\n{text}"}, constraints="off"
        )
        with serving(model) as served:
            (block,) = ask(served).json()["content"]
            assert block["input"] == {"INVALID_JSON": text.strip()}, told


def test_what_is_accepted_without_a_meaning(serve: Serve) -> None:
    served = serve({"turn": "all\nHello!"})
    cached = {"cache_control": {"type": "ephemeral"}}
    answer = served.anthropic.messages.create(
        **{
            **ASK,
            "system": [{"type": "text", "text": "Be brief.", **cached}],
            "messages": [{"role": "user", "content": [{"type": "text", "text": "Hi", **cached}]}],
            "tools": [{**TOOL, "type": "custom", "eager_input_streaming": True, **cached}],
            "metadata": {"user_id": "u"},
            "service_tier": "auto",
            "cache_control": {"type": "ephemeral"},
            "output_config": {"effort": "high"},
            "extra_body": {
                "temperature": 0.5,
                "top_p": 0.9,
                "top_k": 5,
                "context_management": {
                    "edits": [{"type": "clear_thinking_20251015", "keep": "all"}]
                },
                "of_tomorrow": 1,
            },
        }
    )
    assert said(answer) == [("text", "Hello!")]
    assert answer.usage.service_tier == "standard"


def test_what_a_coding_agent_sends(serve: Serve) -> None:
    """All fields of Claude Code 2.1.197's requests, as it sends them to an address of one's own."""
    served = serve(
        {"match": "31 degrees", "turn": "all\nIt is warm."},
        {"turn": CALL},
    )
    cached = {"cache_control": {"type": "ephemeral"}}
    system = [
        "x-anthropic-billing-header: cc_version=2.1; cch=0;",
        "You are an agent.",
        "Be brief.",
    ]
    body: dict[str, Any] = {
        **ASK,
        "max_tokens": 32000,
        "system": [{"type": "text", "text": text, **cached} for text in system],
        "messages": [
            {
                "role": "user",
                "content": [{"type": "text", "text": text} for text in ("So:", "Go.")],
            },
            {"role": "system", "content": "Available agent types for the Agent tool: none"},
        ],
        "metadata": {"user_id": '{"device_id": "d", "account_uuid": "", "session_id": "s"}'},
        "thinking": {"type": "adaptive"},
        "context_management": {"edits": [{"type": "clear_thinking_20251015", "keep": "all"}]},
        "output_config": {"effort": "high"},
    }
    beta = served.anthropic.beta.messages
    answers = []
    for _ in range(2):
        with beta.stream(**body, betas=["context-management-2025-06-27"]) as stream:
            answers.append(stream.get_final_message())
        uses = [block for block in answers[-1].content if block.type == "tool_use"]
        results = [
            {"type": "tool_result", "tool_use_id": use.id, "content": "31 degrees", **cached}
            for use in uses
        ]
        said = {"role": "assistant", "content": answers[-1].content}
        body["messages"] = [*body["messages"], said, {"role": "user", "content": results}]
    assert [answer.stop_reason for answer in answers] == ["tool_use", "end_turn"]


def test_nothing_is_known_of_the_cache_of_an_earlier_message(serve: Serve) -> None:
    served = serve({"turn": "all\nHello!"})
    answer = respond(served, **ASK, diagnostics={"previous_message_id": None})
    assert answer.diagnostics is None
    answer = respond(served, **ASK, diagnostics={"previous_message_id": answer.id})
    assert answer.diagnostics is not None
    assert answer.diagnostics.cache_miss_reason is not None
    assert answer.diagnostics.cache_miss_reason.type == "unavailable"


def test_what_cannot_be_enforced_is_told_in_a_header(serve: Serve) -> None:
    served = serve({"turn": 'f\n{"a": "y"}'})
    schema = {"type": "object", "properties": {"a": {"not": {"pattern": "x"}}}}
    odd = {"name": "f", "input_schema": schema}
    answer = ask(served, tools=[odd])
    place = "tools[0].input_schema/properties/a/not"
    assert answer.headers["functionary-unenforced"] == place
    refused = ask(served, tools=[{**odd, "strict": True}])
    assert refused.status_code == 400
    assert refused.json()["error"]["message"].startswith("tools[0].input_schema")

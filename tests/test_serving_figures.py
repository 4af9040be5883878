"""The benchmark of speed counts what was answered rightly, and tells the rest."""

from typing import Any

import pytest

from benchmarks.judge import judge
from benchmarks.serving.__main__ import _fault
from benchmarks.serving.asking import Timed, _add
from benchmarks.serving.bounded import BOUNDED
from benchmarks.serving.figures import Sample, brief, ratios, table
from benchmarks.serving.workloads import WORKLOADS, Request


def chunk(**delta: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": delta, "finish_reason": None}]}


def call(index: int, **function: str) -> dict[str, Any]:
    return {"index": index, "id": "c", "type": "function", "function": function}


def test_a_stream_is_put_together() -> None:
    timed = Timed({"role": "assistant", "content": ""})
    assert not _add(timed, chunk(role="assistant", content=None, tool_calls=None))
    assert _add(timed, chunk(content="Hi"))
    assert _add(timed, chunk(tool_calls=[call(0, name="f", arguments='{"a"')]))
    assert _add(timed, chunk(tool_calls=[call(0, arguments=": 1}"), call(1, name="g")]))
    assert not _add(timed, {"choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 5}})
    assert timed.message["content"] == "Hi"
    functions = [one["function"] for one in timed.message["tool_calls"]]
    assert functions == [{"name": "f", "arguments": '{"a": 1}'}, {"name": "g", "arguments": ""}]
    assert (timed.prompt, timed.tokens, timed.cached) == (9, 5, 0)


def test_figures_are_of_the_answers_that_count() -> None:
    sample = Sample(wall=2.0, cpu=0.1, requests=8, passes=40)
    sample.turns = [Timed(first=n / 10, end=n, prompt=10, cached=5, tokens=20) for n in (1, 2, 3)]
    sample.bad = ["no call"]
    figures = sample.figures()
    assert (figures["answers"], figures["bad"]) == (3, 1)
    assert (figures["first p50"], figures["end p99"]) == (200, 3000)
    assert (figures["tokens/s"], figures["tokens"], figures["cached"]) == (30, 20, 0.5)
    assert (figures["requests"], figures["passes"], figures["cpu ms"]) == (2, 10, 25)
    slow = Sample([Timed(first=1, end=4)], wall=1)
    results = {("chat", 8): {"ours": sample, "sglang": slow, "silent": Sample(bad=["no"])}}
    assert table(results).count("\n") == 4
    assert "| chat | 8 | ours | 0.20 | 0.50 |  |" in ratios(results, "sglang")


def test_who_waits_is_told_each_row() -> None:
    sample = Sample(wall=2.0)
    sample.turns = [Timed(first=0.1, end=0.25, prompt=10, cached=5, tokens=20)]
    told = brief("chat", 8, {"ours": sample, "sglang": Sample()})
    assert told == "chat, 8 at once: ours 250, sglang nothing that counts"


@pytest.mark.parametrize("workload", [*WORKLOADS, *BOUNDED], ids=lambda workload: workload.name)
def test_each_conversation_is_another_and_has_its_end(workload: Any) -> None:
    def requests(number: int) -> list[Request]:
        conversation, found = workload.begin(number), []
        request = next(conversation)
        while True:
            found.append(request)
            try:
                request = conversation.send({"role": "assistant", "content": "Well."})
            except StopIteration:
                return found

    one, other = requests(1), requests(2)
    assert one != other
    assert len(one) == len(other) <= 6
    silence = {"message": {"content": ""}, "finish_reason": "stop"}
    assert not workload.calls(one[0]) or not judge(one[0], silence).calls


AGENT = next(workload for workload in WORKLOADS if workload.name == "agent loop")
CALL = {
    "id": "call_1",
    "type": "function",
    "function": {"name": "get_weather", "arguments": '{"location": "Rome"}'},
}
CALLED: dict[str, Any] = {"role": "assistant", "content": "", "tool_calls": [CALL]}
SAID: dict[str, Any] = {"role": "assistant", "content": "It is fine."}


def judged(answer: dict[str, Any], request: Request, finish: str | None = None) -> str | None:
    reason = finish or ("tool_calls" if "tool_calls" in answer else "stop")
    return _fault(AGENT, request, Timed(answer, reason))


def test_an_agent_loop_is_a_call_and_then_text_three_times() -> None:
    conversation = AGENT.begin(1)
    request = next(conversation)
    for turn in range(6):
        due, other = (CALLED, SAID) if turn % 2 == 0 else (SAID, CALLED)
        assert judged(due, request) is None
        assert judged(other, request) is not None
        assert judged(due, request, "length") is not None
        assert judged({**SAID, "content": ""}, request) is not None
        if turn < 5:
            request = conversation.send(due)
    with pytest.raises(StopIteration):
        conversation.send(SAID)


@pytest.mark.parametrize("astray", [0, 1])
def test_an_agent_loop_ends_where_the_model_goes_astray(astray: int) -> None:
    conversation = AGENT.begin(1)
    next(conversation)
    if astray:
        conversation.send(CALLED)
    with pytest.raises(StopIteration):
        conversation.send(CALLED if astray else SAID)


def test_a_text_of_fixed_length_may_go_on_to_its_end() -> None:
    chat = next(workload for workload in WORKLOADS if workload.name == "chat")
    assert _fault(chat, next(chat.begin(1)), Timed(SAID, "length")) is None

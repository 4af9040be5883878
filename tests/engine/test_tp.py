"""Two ranks share a model, each with half of every layer, and say what one says."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

import psutil
import pytest

from benchmarks.serving.workloads import WORKLOADS
from tests.engine.conftest import RunningEngine

NUMBERS = range(2)
BELOW_THE_SESSIONS = -1
"""Its port for torch's processes is none of the session's servers'."""


class Shared(RunningEngine):
    """A server that a module has for itself."""

    def close(self) -> None:
        self.http.close()
        self.client.close()
        self.process.terminate()
        self.process.communicate(timeout=60)


@pytest.fixture(scope="module")
def shared(
    engine: RunningEngine, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningEngine]:
    """functionary-nano on two ranks; it starts when the session's server has started."""
    log = tmp_path_factory.mktemp("shared") / "log"
    running = Shared(BELOW_THE_SESSIONS, log, "--tp", "2")
    with closing(running):
        running.ready()
        yield running


def ranks(running: RunningEngine) -> int:
    children = psutil.Process(running.process.pid).children(recursive=True)
    return sum("sglang::scheduler" in " ".join(child.cmdline()) for child in children)


def conversation(running: RunningEngine, case: tuple[str, int]) -> list[Any]:
    """What comes of a conversation, at temperature 0."""
    name, number = case
    (workload,) = [workload for workload in WORKLOADS if workload.name == name]
    asking = workload.begin(number)
    request, answers = next(asking), []
    while True:
        body = request | {"model": "functionary-nano"}
        answer = running.http.post("/v1/chat/completions", json=body).json()["choices"][0]
        answers.append(without_ids(answer))
        try:
            request = asking.send(answer["message"])
        except StopIteration:
            return answers


def without_ids(choice: dict[str, Any]) -> Any:
    """What was said and called, and why it ended."""
    calls = [call["function"] for call in choice["message"].get("tool_calls") or ()]
    return choice["message"]["content"], calls, choice["finish_reason"]


CASES = [(workload.name, number) for workload in WORKLOADS for number in NUMBERS]


@pytest.fixture(scope="module")
def of_one(engine: RunningEngine) -> list[list[Any]]:
    return [conversation(engine, case) for case in CASES]


def test_two_ranks_give_the_answers_of_one(
    engine: RunningEngine, shared: RunningEngine, of_one: list[list[Any]]
) -> None:
    assert (ranks(engine), ranks(shared)) == (1, 2)
    assert [conversation(shared, case) for case in CASES] == of_one


def test_so_they_do_in_one_batch(shared: RunningEngine, of_one: list[list[Any]]) -> None:
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda case: conversation(shared, case), CASES)) == of_one

"""The table of docs/tool-choice.md with a model that chooses for itself."""

import itertools
import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.engine.conftest import RunningEngine
from tests.tool_choice import ROWS, ask

ASKED = [{"role": "user", "content": "Show me the later with n 5 and with n 7."}]


@pytest.mark.parametrize("row", ROWS)
def test_the_table(engine: RunningEngine, row: str) -> None:
    """At temperature 1 only what the row allows is written, and the same streamed as whole."""
    _, text, names, finish = ROWS[row]
    cases = list(itertools.product([True, False], [None, True], [1, 2]))

    def answer(case: tuple[bool, bool | None, int], stream: bool) -> Any:
        parallel, strict, seed = case
        return ask(
            engine.http,
            row,
            stream=stream,
            parallel=parallel,
            strict=strict,
            model="functionary-nano",
            messages=ASKED,
            seed=seed,
            temperature=1,
            max_tokens=48,
        )

    called = 0
    with ThreadPoolExecutor(2 * len(cases)) as pool:
        answers = [
            [pool.submit(answer, case, stream) for case in cases] for stream in (True, False)
        ]
    for (parallel, _, _), one, other in zip(cases, *answers, strict=True):
        streamed, whole = one.result(), other.result()
        assert streamed == whole
        (content, calls), _, reason = whole
        called += len(calls)
        assert {name for name, _ in calls} <= set(names)
        assert text or not content
        if reason == "length":
            continue
        assert reason == (finish if calls else "stop")
        assert text or calls
        assert parallel or len(calls) <= 1
        assert all(isinstance(json.loads(a).get("n", 0), int) for _, a in calls)
    assert bool(called) == bool(names)

"""The grammars that the scheduler keeps are bounded."""

import json

import psutil
import pytest

from tests.engine.conftest import GRAMMARS, RunningEngine
from tests.serving import counted


@pytest.mark.filterwarnings("ignore")
def test_sglangs_own_cache_forgets_what_was_not_used_for_longest(hooks: None) -> None:
    from sglang.srt.constrained.base_grammar_backend import BaseGrammarBackend, InvalidGrammarObject

    from functionary_sgl.engines.sglang.scheduler.grammar_cache import size

    backend = BaseGrammarBackend()
    before = told()
    for number in range(500):
        backend.set_cache(("json", str(number)), InvalidGrammarObject("no"))
        backend.get_cached_or_future_value(("json", "0"), False)
    assert ("json", "0") in backend.cache
    assert ("json", "499") in backend.cache
    assert len(backend.cache) == 5_000_000 // size(backend.cache[("json", "0")])
    huge = InvalidGrammarObject("no")
    huge.serialized_grammar = "x" * 1_000_000
    backend.set_cache(("json", "huge"), huge)
    assert len(backend.cache) == 1
    assert told() == (before[0] + 500, before[1], 1, 5_000_000)
    backend.reset()
    assert not backend.cache
    assert told()[2:] == (0, 0)


def test_a_scrape_sees_what_the_engine_keeps(engine: RunningEngine) -> None:
    def seen() -> list[float]:
        names = "grammar_hits_total", "grammar_misses_total", "grammars", "grammar_bytes"
        return [counted(engine.http, f"functionary_engine_{name}") for name in names]

    hits, misses, *_ = seen()
    for _ in range(2):
        generate(engine, -1)
    # Others had to make room for so large a grammar.
    *asked, kept, size = seen()
    assert asked == [hits + 1, misses + 1]
    assert kept >= 1
    assert size > 1_000_000


def told() -> tuple[float, ...]:
    """What is told of this process: hits, misses, how many are kept, and their bytes."""
    values = [metric.samples[0].value for metric in GRAMMARS.metrics()]
    return values[2], values[3], values[0], values[1]


def memory(engine: RunningEngine) -> float:
    """Of the server and all its processes, in MB."""
    server = psutil.Process(engine.process.pid)
    everyone = [server, *server.children(recursive=True)]
    return sum(process.memory_info().rss for process in everyone) / 1e6


def generate(engine: RunningEngine, number: int) -> None:
    """A token after a grammar of about 10 MB, past our own gate."""
    values = [f"value {i} of {number}" for i in range(20_000)]
    params = {"json_schema": json.dumps({"enum": values}), "max_new_tokens": 1}
    body = {"text": "Hi", "sampling_params": params}
    response = engine.http.post("/native/generate", json=body)
    assert response.status_code == 200, response.text


def test_memory_is_flat_however_many_schemas_come(engine: RunningEngine) -> None:
    """The server of these tests keeps 64 MB of grammars; without a bound 60 would take 600."""
    for number in range(20):
        generate(engine, number)
    before = memory(engine)
    for number in range(20, 80):
        generate(engine, number)
    assert memory(engine) - before < 200

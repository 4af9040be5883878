"""What SGLang counts itself is told beside what we count."""

import time

from prometheus_client.parser import text_string_to_metric_families

from tests.engine.conftest import RunningEngine
from tests.test_observability import expressions, names_in

SECONDS = 20


def told(running: RunningEngine) -> dict[str, dict[str, float]]:
    """The sums of samples, by family and name."""
    found: dict[str, dict[str, float]] = {}
    for family in text_string_to_metric_families(running.http.get("/metrics").text):
        assert family.name not in found, f"{family.name} is told twice"
        sums = found.setdefault(family.name, {})
        for sample in family.samples:
            sums[sample.name] = sums.get(sample.name, 0.0) + sample.value
    return found


def test_the_engines_metrics_are_beside_ours(adapted: RunningEngine) -> None:
    before = told(adapted)
    answer = adapted.client.chat.completions.create(
        model="functionary-nano", messages=[{"role": "user", "content": "Hi"}], max_tokens=20
    )
    assert answer.usage is not None
    name, mine = "sglang:generation_tokens", "functionary_completion_tokens"
    end = time.monotonic() + SECONDS
    while told(adapted)[name] == before.get(name):
        assert time.monotonic() < end
        time.sleep(0.1)
    after = told(adapted)
    # Of the manager, in the server's process, and of the scheduler, in its own.
    assert after[name][f"{name}_total"] >= answer.usage.completion_tokens
    asked = set().union(*map(names_in, expressions()))
    assert {name for name in asked if name.startswith("sglang:")} <= after.keys()
    more = after[mine][f"{mine}_sum"] - before[mine][f"{mine}_sum"]
    assert more == answer.usage.completion_tokens


def test_there_are_none_unless_wished(engine: RunningEngine) -> None:
    assert not [name for name in told(engine) if name.startswith("sglang:")]

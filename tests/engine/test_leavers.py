"""Two hundred clients that leave at random moments."""

from benchmarks.leavers import measure
from benchmarks.soak.subject import Subject
from tests.engine.conftest import RunningEngine


def test_what_two_hundred_clients_leave_behind_is_free_within_two_seconds(
    engine: RunningEngine,
) -> None:
    seen = measure(Subject(engine.url, "functionary-nano", engine.process.pid, engine.log))
    # They were there: as many as may ran, the others waited, and none had its answer.
    assert seen.running >= 32
    assert seen.waiting >= 32
    assert seen.tokens > 0
    assert seen.answered == 0
    assert seen.is_free, seen
    assert engine.held() == 0

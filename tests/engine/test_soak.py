"""Three minutes of mixed load: nothing is lost, nothing fails, nothing grows."""

from benchmarks.soak.__main__ import table
from benchmarks.soak.promises import soak
from benchmarks.soak.subject import Subject
from tests.engine.conftest import RunningEngine

SECONDS = 180


def test_a_server_under_mixed_load_keeps_its_promises(adapted: RunningEngine) -> None:
    subject = Subject(adapted.url, "functionary-nano", adapted.process.pid, adapted.log)
    report = soak(subject, SECONDS)
    assert report.kept(), table(report)
    # All of it was asked, and some of it is as it should be.
    assert report.tally.counts.keys() == KINDS
    for kind in KINDS - {"leavers"}:
        assert report.tally.counts[kind]["whole"], table(report)
    assert report.tally.counts["leavers"]["left"]
    assert adapted.held() == 0


KINDS = {
    *("calls", "streams", "agent turns", "leavers", "hostile schemas"),
    *("adapter", "loads of it", "unloads of it"),
}

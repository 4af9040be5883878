"""What `make promises` calls worse, and better, than was expected."""

from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.promises import ratchet
from benchmarks.promises.outcomes import Outcome

EXACT = Outcome("exact")
TOLD = Outcome("told", told=["/not"])
REFUSED = Outcome("refused", reason="too large")
NARROW = replace(EXACT, too_narrow=['{"a": 1}'])
RANKED = [
    (EXACT, TOLD),
    (TOLD, REFUSED),
    (EXACT, REFUSED),
    (TOLD, replace(TOLD, told=["/not", "/if"])),
    (EXACT, replace(EXACT, told=["/format"])),
    (EXACT, NARROW),
    (NARROW, replace(NARROW, too_narrow=['{"a": 1}', '{"a": 2}'])),
    (EXACT, replace(EXACT, false_positives=["{}"])),
    (TOLD, replace(TOLD, misjudged=["{}"])),
    (EXACT, replace(EXACT, closed=1)),
]


@pytest.fixture(autouse=True)
def data(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(ratchet, "DATA", tmp_path)


@pytest.mark.parametrize(("good", "bad"), RANKED)
def test_what_is_worse_is_said_and_what_is_better_too(good: Outcome, bad: Outcome) -> None:
    for before, now in ((good, bad), (bad, good)):
        ratchet.write("a suite", {"case": before})
        assert not ratchet.worse("a suite", {"case": before})
        assert not ratchet.better("a suite", {"case": before})
        assert bool(ratchet.worse("a suite", {"case": now})) == (now is bad)
        assert bool(ratchet.better("a suite", {"case": now})) == (now is good)


def test_a_part_of_a_suite_says_nothing_of_the_rest() -> None:
    ratchet.write("a suite", {"case": EXACT, "another": TOLD})
    assert not ratchet.worse("a suite", {"case": EXACT})
    assert not ratchet.better("a suite", {"case": EXACT})


def test_without_a_file_all_has_to_be_well() -> None:
    assert ratchet.worse("a suite", {"case": TOLD})
    assert not ratchet.worse("a suite", {"case": EXACT})

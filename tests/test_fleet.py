"""The simulation of a fleet (docs/sizing.md) does what it says, before engines without a model."""

from pathlib import Path

from benchmarks.fleet import measured


def test_two_engines_have_what_their_agents_said_before(tmp_path: Path) -> None:
    figures = measured(2, families=2, agents=1, log=tmp_path / "log")
    assert figures.turns == 12
    assert figures.found > 0.9
    assert figures.server > 0
    assert figures.router > 0
    assert 1 <= figures.busiest <= 2

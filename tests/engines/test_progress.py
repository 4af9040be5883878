"""When an engine counts as hung, by a clock that the test sets."""

from types import SimpleNamespace

import pytest

from functionary_sgl.engines.sglang.progress import LOOK_SECONDS, Progress

SECONDS = 10


class Watched:
    """An engine that is looked at as often as it should be."""

    def __init__(self) -> None:
        self.now = 0.0
        self.beats = SimpleNamespace(value=0)
        self.progress = Progress(self.beats, SECONDS, clock=lambda: self.now)

    def hangs(self, seconds: float, busy: bool = True, beats: int = 0) -> bool:
        """Whether it does when so much time has passed, with so many batches on the way."""
        hung = False
        for look in range(int(seconds / LOOK_SECONDS)):
            self.now += LOOK_SECONDS
            self.beats.value += look < beats
            hung = self.progress.hangs(busy)
        return hung


@pytest.fixture
def watched() -> Watched:
    return Watched()


def test_it_hangs_when_nothing_comes_for_so_long(watched: Watched) -> None:
    assert not watched.hangs(SECONDS - 1)
    assert watched.hangs(1)


def test_a_batch_now_and_then_is_enough(watched: Watched) -> None:
    for _ in range(5):
        assert not watched.hangs(SECONDS - 1, beats=1)


def test_who_has_nothing_to_do_does_not_hang(watched: Watched) -> None:
    assert not watched.hangs(100, busy=False)
    assert not watched.hangs(SECONDS - 1)
    assert watched.hangs(1)


def test_time_in_which_nobody_looked_does_not_count(watched: Watched) -> None:
    """The whole machine was suspended, or all processes stopped."""
    watched.hangs(1)
    watched.now += 1000
    assert not watched.progress.hangs(busy=True)
    assert watched.hangs(SECONDS)

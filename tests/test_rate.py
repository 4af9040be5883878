"""So many in any minute, whatever the times at which they come."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functionary_sgl.errors import ServerBusy
from functionary_sgl.rate import Rate
from functionary_sgl.room import Room

STEPS = st.lists(st.integers(0, 40), max_size=60)


class Clock:
    """A time that tests set."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def taken(rate: Rate) -> int:
    """0 if there was room for one more, else after how many seconds there will be."""
    try:
        rate.take()
    except ServerBusy as error:
        return error.retry_after
    return 0


@given(STEPS, st.integers(1, 5))
def test_no_minute_has_more_and_none_is_refused_that_fits(steps: list[int], most: int) -> None:
    clock = Clock()
    rate = Rate(most, "{most} a minute", clock=clock)
    let_in: list[float] = []
    for step in steps:
        clock.now += step
        lately = [time for time in let_in if time > clock.now - 60]
        wait = taken(rate)
        assert (wait == 0) == (len(lately) < most)
        if not wait:
            let_in.append(clock.now)
            continue
        # Who waits as long as it was told gets in, and nobody is told to wait longer than that.
        assert len([time for time in let_in if time > clock.now + wait - 60]) < most
        assert len([time for time in let_in if time > clock.now + wait - 1 - 60]) == most


@given(STEPS, st.integers(1, 5))
def test_it_says_what_is_left_and_when_all_is_back(steps: list[int], most: int) -> None:
    clock = Clock()
    rate = Rate(most, "{most} a minute", clock=clock)
    assert rate.seconds_to_reset() == 0
    for step in steps:
        clock.now += step
        left = rate.left()
        assert left is not None
        assert (taken(rate) == 0) == (left > 0)
        assert rate.left() == max(0, left - 1)
        later = Clock()
        later.now = clock.now + rate.seconds_to_reset()
        # The same times, looked at then and just before.
        then = Rate(most, "", clock=later)
        then._times.extend(rate._times)
        assert then.left() == most
        then._times.extend(rate._times)
        later.now -= 1
        assert then.left() < most  # type: ignore[operator]


def test_without_a_limit_any_number_is_left() -> None:
    assert Rate(None, "").left() is None


def test_parts_of_a_second_are_waited_for_too() -> None:
    clock = Clock()
    rate = Rate(1, "{most} a minute", clock=clock)
    assert taken(rate) == 0
    clock.now = 59.9
    assert taken(rate) == 1
    clock.now = 60.0
    assert taken(rate) == 0


def test_it_may_change() -> None:
    clock = Clock()
    rate = Rate(None, "{most} a minute", clock=clock)
    assert not any(taken(rate) for _ in range(100))
    rate.most = 4
    for clock.now in range(4):
        assert taken(rate) == 0
    rate.most = 2
    with pytest.raises(ServerBusy, match=r"^2 a minute$"):
        rate.take()
    assert taken(rate) == 59  # that of second 2 counts, then, and that of second 3
    clock.now = 62
    assert taken(rate) == 0
    rate.most = None
    assert taken(rate) == 0


def test_what_is_kept_of_one_without_limit_does_not_grow() -> None:
    rate = Rate(2, "")
    rate.take()
    rate.most = None
    for _ in range(1000):
        rate.take()
    assert not rate._times


def test_a_room_that_shrinks_throws_nobody_out() -> None:
    room = Room(3, "{most} fit")
    with room.taking(3):
        room.most = 1
        with pytest.raises(ServerBusy, match="1 fit"):
            room.take(1)
    with room.taking(1), pytest.raises(ServerBusy):
        room.take(1)

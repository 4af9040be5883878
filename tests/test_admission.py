"""Who runs, who waits and who is sent away, turn by turn."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functionary_sgl.admission import Admission
from functionary_sgl.errors import EngineDied, ServerBusy, ServerStopping


class Asked:
    """A request: a task that runs, once it may, until it is told to `end`."""

    def __init__(self, admission: Admission, caller: str, count: int = 1) -> None:
        self.caller = caller
        self.count = count
        self.runs = False
        self._end = asyncio.Event()
        self._admission = admission
        self.task = asyncio.create_task(self._turns())

    async def _turns(self) -> None:
        with self._admission.place(self.caller, self.count) as place:
            await place.run()
            self.runs = True
            await self._end.wait()
            self.runs = False

    async def end(self) -> None:
        self._end.set()
        await self.task
        await settle()

    async def leave(self) -> None:
        self.task.cancel()
        await settle()


async def settle() -> None:
    """Let all go on that can."""
    for _ in range(5):
        await asyncio.sleep(0)


async def asked(admission: Admission, caller: str, count: int = 1) -> Asked:
    request = Asked(admission, caller, count)
    await settle()
    return request


def error_of(request: Asked) -> BaseException | None:
    return request.task.exception() if request.task.done() else None


def run(test: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(asyncio.wait_for(test(), 20))  # type: ignore[arg-type]


def order(admission: Admission, *callers: str) -> Callable[[], Awaitable[list[str]]]:
    """Whose turns run, one after the other, if they are asked for in this order."""

    async def order() -> list[str]:
        left = [await asked(admission, caller) for caller in callers]
        told = []
        while left:
            (running,) = [request for request in left if request.runs]
            left.remove(running)
            told.append(running.caller)
            await running.end()
        return told

    return order


def test_one_caller_with_two_hundred_requests_does_not_starve_another() -> None:
    told = asyncio.run(order(Admission(1, 300), *["many"] * 200, *["few"] * 3)())  # type: ignore
    assert len(told) == 203
    assert told[:7].count("few") == 3


def test_without_keys_whoever_came_first_goes_first() -> None:
    async def test() -> None:
        admission = Admission(1, 10)
        requests = [await asked(admission, "") for _ in range(5)]
        for request in requests:
            assert [r.runs for r in requests] == [r is request for r in requests]
            await request.end()

    run(test)


def test_of_callers_who_wait_that_one_is_next_of_whom_the_least_runs() -> None:
    async def test() -> None:
        admission = Admission(4, 10)
        many = [await asked(admission, "many") for _ in range(8)]
        few = [await asked(admission, "few") for _ in range(3)]
        for index in range(2):
            await many[index].end()
            assert few[index].runs
        # Now each has two.
        assert Counter(r.caller for r in (*many, *few) if r.runs) == {"many": 2, "few": 2}
        for request in (*many, *few):
            await request.leave()
        assert (admission.taken, admission.running) == (0, 0)

    run(test)


def test_whoever_leaves_while_it_waits_frees_its_place() -> None:
    async def test() -> None:
        admission = Admission(1, 1)
        running = await asked(admission, "a")
        waiting = await asked(admission, "a")
        assert admission.full()
        await waiting.leave()
        assert not admission.full()
        third = await asked(admission, "a")
        await running.end()
        assert third.runs
        await third.end()

    run(test)


def test_whoever_leaves_just_when_its_turn_comes_gives_it_to_the_next() -> None:
    async def test() -> None:
        admission = Admission(1, 3)
        running, second, third = [await asked(admission, "a") for _ in range(3)]
        running.task.cancel()
        second.task.cancel()
        await settle()
        assert third.runs
        await third.end()
        assert (admission.taken, admission.running) == (0, 0)

    run(test)


def test_beyond_the_bound_one_is_told_at_once_when_to_come_again() -> None:
    async def test() -> None:
        now = 0.0
        admission = Admission(2, 3, clock=lambda: now)
        first = [await asked(admission, "a") for _ in range(2)]
        now = 8.0
        for request in first:
            await request.end()  # turns take eight seconds, it seems
        held = [await asked(admission, "a") for _ in range(5)]
        refused = await asked(admission, "a")
        error = error_of(refused)
        assert isinstance(error, ServerBusy)
        assert error.retry_after == 16  # two rounds: of three that wait, and of this one
        assert sum(request.runs for request in held) == 2
        for request in held:
            await request.leave()

    run(test)


def test_a_full_house_takes_in_others_than_the_one_who_fills_it() -> None:
    async def test() -> None:
        admission = Admission(1, 4)
        many = [await asked(admission, "many") for _ in range(5)]
        few = await asked(admission, "few")
        assert error_of(few) is None
        # The last of those who wait made room, and only that.
        assert [isinstance(error_of(request), ServerBusy) for request in many] == [False] * 4 + [
            True
        ]
        again = await asked(admission, "few")
        assert error_of(again) is None
        # Two and two: nobody has more than the others any more.
        third = await asked(admission, "few")
        assert isinstance(error_of(third), ServerBusy)
        assert isinstance(error_of(await asked(admission, "many")), ServerBusy)
        assert admission.taken == 5
        for request in (*many, few, again):
            await request.leave()
        assert (admission.taken, admission.running) == (0, 0)

    run(test)


def test_turns_of_one_request_run_together_and_nobody_overtakes_them() -> None:
    async def test() -> None:
        admission = Admission(2, 10)
        one, two = [await asked(admission, "a") for _ in range(2)]
        pair = await asked(admission, "a", 2)
        later = await asked(admission, "a")
        await one.end()
        assert (pair.runs, later.runs) == (False, False)
        await two.end()
        assert (pair.runs, later.runs) == (True, False)
        await pair.end()
        assert later.runs
        await later.end()

    run(test)


def test_closed_it_lets_those_end_that_are_there() -> None:
    async def test() -> None:
        admission = Admission(1, 3)
        running, waiting = [await asked(admission, "a") for _ in range(2)]
        admission.check_open()
        admission.close(ServerStopping("stopping"))
        with pytest.raises(ServerStopping):
            admission.check_open()
        await running.end()
        assert waiting.runs
        third = await asked(admission, "a")  # whose request had begun
        admission.give_up(EngineDied("died"))
        await settle()
        assert isinstance(error_of(third), EngineDied)
        assert waiting.runs  # whoever runs hears it from the engine
        assert isinstance(error_of(await asked(admission, "a")), EngineDied)
        await waiting.end()
        assert (admission.taken, admission.running) == (0, 0)

    run(test)


STEPS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from("abc"), st.integers(1, 2)),
        st.tuples(st.sampled_from(["end", "leave"]), st.integers(0, 30)),
    ),
    max_size=40,
)


@given(STEPS, st.integers(2, 3), st.integers(0, 4))
def test_no_place_is_lost_and_none_is_taken_twice(
    steps: list[tuple[str, int]], most_running: int, most_waiting: int
) -> None:
    async def test() -> None:
        admission = Admission(most_running, most_waiting)
        there: list[Asked] = []
        for what, number in steps:
            if what in "abc":
                there.append(await asked(admission, what, number))
            elif there:
                one = there[number % len(there)]
                await (one.end() if what == "end" and one.runs else one.leave())
            there = [request for request in there if not request.task.done()]
            running = sum(request.count for request in there if request.runs)
            assert admission.running == running <= most_running
            assert admission.taken == sum(r.count for r in there) <= most_running + most_waiting
            waiting = [request.count for request in there if not request.runs]
            assert not waiting or running + max(waiting) > most_running
        for request in there:
            await request.leave()
        assert (admission.taken, admission.running) == (0, 0)

    run(test)

"""Many streams at once: whole answers, and no more held than a little for each."""

from benchmarks.streams import GROWTH, measure

STREAMS = 200
MOST_THREADS = 32
"""Of any server, with its pool for work beside the event loop."""

MOST_KB = 250
"""For a stream: its connection, its request, and the rest of its script."""


def test_many_streams_at_once_are_whole_and_take_nothing_that_grows() -> None:
    figures = measure(STREAMS, per_second=5, seconds=12, opening=1)
    before, first = figures.before, figures.first
    assert figures.whole == STREAMS
    assert figures.is_flat()
    assert first.threads <= MOST_THREADS
    assert first.descriptors - before.descriptors <= STREAMS + GROWTH
    assert 1e3 * (first.megabytes - before.megabytes) / STREAMS < MOST_KB

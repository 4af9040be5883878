"""How SGLang's processes begin."""

import argparse
import multiprocessing
import signal
from collections.abc import Iterator

import pytest

from functionary_sgl.engines.sglang.beginnings import forget_handlers, of_processes


@pytest.fixture
def _handlers() -> Iterator[None]:
    numbers = signal.SIGTERM, signal.SIGQUIT, signal.SIGHUP, signal.SIGINT
    before = {number: signal.getsignal(number) for number in numbers}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("_handlers")
def test_a_copy_has_the_signals_of_a_process_of_its_own() -> None:
    """What was ignored stays so, as behind nohup."""
    signal.signal(signal.SIGTERM, lambda *_: None)
    signal.signal(signal.SIGQUIT, lambda *_: None)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    forget_handlers()
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    assert signal.getsignal(signal.SIGQUIT) is signal.SIG_DFL
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_schedulers_that_another_process_starts_are_no_copies() -> None:
    before = multiprocessing.get_start_method()
    with of_processes(argparse.Namespace(dp_size=2)):
        assert multiprocessing.get_start_method() == before

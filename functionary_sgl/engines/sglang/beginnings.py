"""How SGLang's processes begin: each for itself, or as copies of the one that starts them.

SGLang imports for ten seconds of processor time, and has each process do so again. A copy has all
that already, and shares its memory. CUDA does not stand it, so with a GPU they begin as SGLang has
it.
"""

import argparse
import multiprocessing
import signal
from collections.abc import Iterator
from contextlib import contextmanager

from functionary_sgl.engines.sglang.platform import has_accelerator


@contextmanager
def of_processes(arguments: argparse.Namespace) -> Iterator[None]:
    """Processes that are started here, of an engine with these flags, are copies of this one where
    that is safe; later ones begin for themselves."""
    if not _are_copies(arguments):
        yield
        return
    # What a scheduler needs of SGLang, each would else import for itself.
    import sglang.srt.managers.scheduler  # noqa: F401

    multiprocessing.set_start_method("fork", force=True)
    try:
        yield
    finally:
        multiprocessing.set_start_method("spawn", force=True)


def _are_copies(arguments: argparse.Namespace) -> bool:
    """With several copies of the model SGLang starts its schedulers in a thread of another process,
    where that is not safe."""
    return not has_accelerator() and arguments.dp_size == 1


def forget_handlers() -> None:
    """In a process that has just begun: signals do what they do by default, not what the process
    that it is a copy of does."""
    for number in signal.valid_signals():
        handler = signal.getsignal(number)
        if callable(handler) and handler is not signal.default_int_handler:
            signal.signal(number, signal.SIG_DFL)

"""What SGLang is told where there is no GPU."""

import argparse
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from functionary_sgl.engines.sglang.platform import has_accelerator, multiplies_bfloat16

LOOKS = "10000"
"""How often OpenMP's threads look whether the others have come before they sleep: some 10 us. By
default they go on for milliseconds; where one of them waits for a core that somebody else has, a
token then takes a second."""

_SPINS = "GOMP_SPINCOUNT"


@contextmanager
def calm_threads() -> Iterator[None]:
    """What is imported here has OpenMP's threads look LOOKS times, unless the environment says
    otherwise. OpenMP reads that when it is loaded, by torch, and SGLang's processes are copies of
    this one. With a GPU those have it as it is by default."""
    is_told = _SPINS in os.environ
    os.environ.setdefault(_SPINS, LOOKS)
    yield
    if not is_told and has_accelerator():
        del os.environ[_SPINS]


def prepare(arguments: argparse.Namespace, ranks: int) -> None:
    """Set what `arguments` leave open, and where each of so many schedulers computes."""
    arguments.device = arguments.device or "cpu"
    if (
        arguments.dtype == "auto"
        and not multiplies_bfloat16()
        and fits_in_float32(Path(arguments.model_path), _memory())
    ):
        arguments.dtype = "float32"
    if ranks > 1:
        # Without this SGLang takes no more ranks than the machine has NUMA nodes.
        os.environ.setdefault("SGLANG_CPU_OMP_THREADS_BIND", thread_binding(_cores(), ranks))


def fits_in_float32(checkpoint: Path, memory: int) -> bool:
    """Whether the weights in this directory, which are half-precision, fit into so many bytes as
    float32, with a quarter left for all else. What is not on disk yet is not known to."""
    found = [file for file in checkpoint.glob("*.safetensors") if file.is_file()]
    size = sum(file.stat().st_size for file in found)
    return 0 < 2 * size <= memory * 3 // 4


def _memory() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _cores() -> list[int]:
    return sorted(os.sched_getaffinity(0))


def thread_binding(cores: Sequence[int], ranks: int) -> str:
    """`cores` dealt to `ranks` in SGLang's notation: `0,1|2,3`. Ranks share where cores run out."""
    size = max(1, len(cores) // ranks)
    starts = (rank * size % len(cores) for rank in range(ranks))
    return "|".join(",".join(map(str, cores[start : start + size])) for start in starts)

"""How long this server takes to be ready, and SGLang's own on the same weights.

    python -m benchmarks.start [--rounds 3] [--model-path DIRECTORY]

One after the other, A B A B: seconds until it answers, and of processor time and MiB of memory of
all its processes together by then. Run it twice: what was not in the page cache is the disk's part.
"""

import argparse
import statistics
import time
from collections.abc import Iterator

import psutil

from benchmarks.serving.sides import SGLANG, Side, running
from functionary_sgl.prompt.checkpoint import EMBEDDED

SIDES = "ours", SGLANG


def _processes(side: Side) -> Iterator[psutil.Process]:
    server = psutil.Process(side.process.pid)
    yield server
    yield from server.children(recursive=True)


def measure(name: str, model: str) -> tuple[float, float, float]:
    """Seconds, seconds of processor time, and MiB, of which what processes share counts once."""
    begun = time.perf_counter()
    with running({name: ()}, model) as (side,):
        seconds = time.perf_counter() - begun
        times = [process.cpu_times() for process in _processes(side)]
        held = sum(process.memory_full_info().pss for process in _processes(side))
        return seconds, sum(one.user + one.system for one in times), held / 2**20


def main() -> None:
    """Print the table: medians, and the best start."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.start",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--model-path", default=str(EMBEDDED))
    options = parser.parse_args()
    found: dict[str, list[tuple[float, float, float]]] = {name: [] for name in SIDES}
    for _ in range(options.rounds):
        for name in SIDES:
            found[name].append(measure(name, options.model_path))
    print("| server | ready after s | the best | processor s | MiB |")
    print("| --- | --- | --- | --- | --- |")
    for name, all_ in found.items():
        seconds, cpu, held = (statistics.median(column) for column in zip(*all_, strict=True))
        print(f"| {name} | {seconds:.1f} | {min(all_)[0]:.1f} | {cpu:.1f} | {held:,.0f} |")


if __name__ == "__main__":
    main()

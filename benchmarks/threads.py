"""Passes of a small model on one core and on all.

    python -m benchmarks.threads [--model-path DIRECTORY] [--passes 30]

Milliseconds of a pass of so many rows, by transformers, without a prefix cache: the medians and
the quickest. "Beside" is the same while another process computes on one core, as the client and the
layer do while a model is asked. What the scheduler makes of it: `scheduler/threads.py`.
"""

import argparse
import contextlib
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator

import torch
from transformers import AutoModelForCausalLM

from functionary_sgl.engines.sglang.cpu_flags import LOOKS
from functionary_sgl.prompt.checkpoint import EMBEDDED

ROWS = (1, 4, 16, 64, 256, 1024)


def measure(model: torch.nn.Module, rows: int, cores: int, passes: int) -> list[float]:
    """Milliseconds of each pass."""
    torch.set_num_threads(cores)
    ids = torch.arange(rows).unsqueeze(0) % 1_000
    took = []
    for _ in range(passes):
        begun = time.perf_counter()
        model(ids, use_cache=False)
        took.append(1_000 * (time.perf_counter() - begun))
    return took


@contextlib.contextmanager
def busy() -> Iterator[None]:
    """Another process computes."""
    with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as other:
        yield
        other.kill()


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.threads",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--model-path", default=str(EMBEDDED))
    parser.add_argument("--passes", type=int, default=30)
    options = parser.parse_args()
    if "GOMP_SPINCOUNT" not in os.environ:  # it is read when the process begins
        os.execve(sys.executable, sys.orig_argv, {**os.environ, "GOMP_SPINCOUNT": LOOKS})
    model = AutoModelForCausalLM.from_pretrained(options.model_path, dtype=torch.float32)
    cores = torch.get_num_threads()
    weights = sum(weight.numel() for weight in model.parameters())
    print(f"{weights / 1e6:.1f} million weights, {cores} cores\n")
    print("| rows | million products | one core | all | beside: one | beside: all |")
    print("| --- | --- | --- | --- | --- | --- |")
    for rows in ROWS:
        cells = []
        for beside in (contextlib.nullcontext(), busy()):
            with beside, torch.inference_mode():
                for count in (1, cores):
                    measure(model, rows, count, 3)
                    took = measure(model, rows, count, options.passes)
                    cells.append(f"{statistics.median(took):.1f} ({min(took):.1f})")
        print(f"| {rows:,} | {rows * weights / 1e6:,.0f} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()

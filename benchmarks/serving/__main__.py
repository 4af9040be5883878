"""How fast this server is, and SGLang's own on the same weights.

    python -m benchmarks.serving [--short] [--shape small] [--sides ours,sglang] [--json FILE]

All servers run at once on this machine and are asked in turns, A B A B; each workload with so many
conversations at once, streamed, at temperature 0. An answer counts if it is what was asked for: a
call of a function on offer with valid arguments, or text, in an agent loop by turns. What does not
is told, and not timed.

A side is a name and flags of the server: `ours`, `sglang`, and any other, which is ours with its
flags: `--sides "ours,plain=--drafts off"`. Ratios are to the last one.

With `--shape` the weights are random and the vocabulary has 128,256 tokens. The workloads are then
others, whose answers come to an end whatever is drawn (`bounded.py`).

Columns: milliseconds to the first token and to the end; tokens of an answer; requests to the engine
and passes of the model per answer; the share of the prompt's ids that were in the prefix cache;
milliseconds of processor time per answer of the process that serves HTTP.
"""

import argparse
import asyncio
import json
import shlex
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
from tqdm import tqdm

from benchmarks.judge import judge
from benchmarks.serving.asking import Timed, ask
from benchmarks.serving.bounded import BOUNDED
from benchmarks.serving.figures import Results, Sample, brief, ratios, table
from benchmarks.serving.shapes import SHAPES, write
from benchmarks.serving.sides import SGLANG, Side, running
from benchmarks.serving.workloads import WORKLOADS, Workload
from functionary_sgl.prompt import checkpoint

ROUNDS, SHORT_ROUNDS = 5, 2
AT_ONCE, SHORT_AT_ONCE = (1, 8, 32), 2
LEAST_CONVERSATIONS = 4
"""For each server in a round; as many as there are at once where those are more."""


async def measure(
    side: Side, workload: Workload, concurrency: int, numbers: Iterator[int], sample: Sample
) -> None:
    """A round: add to `sample` what `side` does."""
    limits = httpx.Limits(max_connections=None)
    counted, cpu, begun = side.counted(), side.cpu_seconds(), time.perf_counter()
    async with httpx.AsyncClient(base_url=side.base_url, timeout=600, limits=limits) as client:
        left = iter([next(numbers) for _ in range(max(concurrency, LEAST_CONVERSATIONS))])

        async def converse() -> None:
            for number in left:
                await _converse(client, side, workload, number, sample)

        await asyncio.gather(*(converse() for _ in range(concurrency)))
    sample.wall += time.perf_counter() - begun
    sample.cpu += side.cpu_seconds() - cpu
    for key, value in side.counted().items():
        if key == "functionary_engine_requests_total":
            sample.requests += value - counted[key]
        elif key == "functionary_engine_passes_total":
            sample.passes += value - counted[key]


async def _converse(
    client: httpx.AsyncClient, side: Side, workload: Workload, number: int, sample: Sample
) -> None:
    conversation = workload.begin(number)
    request = next(conversation)
    while True:
        timed = await ask(client, side.request(request))
        fault = _fault(workload, request, timed)
        if fault is None:
            sample.turns.append(timed)
        else:
            sample.bad.append(fault)
        try:
            request = conversation.send(timed.message)
        except StopIteration:
            return


def _fault(workload: Workload, request: dict[str, Any], timed: Timed) -> str | None:
    """Why an answer does not count."""
    if timed.error is not None:
        return timed.error
    content, calls = timed.message["content"], timed.message.get("tool_calls")
    if workload.calls(request) and not calls:
        return f"no call: {content[:100]!r}"
    if not workload.calls(request) and calls:
        return f"a call where text was due: {calls[0]['function']['name']}"
    if not calls and not content:
        return "nothing was said"
    verdict = judge(request, {"message": timed.message, "finish_reason": timed.finish_reason})
    if timed.finish_reason == "length" and "min_tokens" not in request:
        return "it went on to the end of its tokens"
    return verdict.complaints[0] if verdict.complaints else None


def run(sides: list[Side], options: argparse.Namespace) -> Results:
    """All workloads, asked of all sides. It takes long, so each row is told when it comes."""
    results: Results = {}
    plan = [(workload, count) for workload in options.workloads for count in options.at_once]
    for workload, concurrency in tqdm(plan, disable=None):
        samples = {
            side.name: Sample() for side in sides if workload.by_schema or side.name != SGLANG
        }
        asked = [side for side in sides if side.name in samples]
        for round_ in range(-1, options.rounds):  # the first warms caches and is not counted
            for side in asked:
                numbers = iter(range(1_000 * (round_ + 1), 1_000_000))
                sample = samples[side.name] if round_ >= 0 else Sample()
                asyncio.run(measure(side, workload, concurrency, numbers, sample))
        results[workload.name, concurrency] = samples
        tqdm.write(brief(workload.name, concurrency, samples), file=sys.stderr)
    return results


def _options(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.serving",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    known = dict.fromkeys(workload.name for workload in (*WORKLOADS, *BOUNDED))
    parser.add_argument("--short", action="store_true", help="fewer at once, fewer rounds")
    parser.add_argument("--sides", default=f"ours,{SGLANG}")
    parser.add_argument("--at-once", type=int, nargs="+", help="conversations (default: 1 8 32)")
    parser.add_argument("--rounds", type=int, help=f"of each side (default: {ROUNDS})")
    parser.add_argument("--workloads", nargs="+", choices=known)
    model = parser.add_mutually_exclusive_group()
    model.add_argument("--model-path", default=str(checkpoint.EMBEDDED))
    model.add_argument(
        "--shape",
        choices=SHAPES,
        help="random weights of this shape instead: small for two cores, 8b (64 at once) for a GPU",
    )
    parser.add_argument("--flags", default="", help="for all servers")
    parser.add_argument("--json", type=Path, help="a file for the figures")
    parser.add_argument("--plot", type=Path, help="a file for bars of them (.png)")
    options = parser.parse_args(argv)
    options.rounds = options.rounds or (SHORT_ROUNDS if options.short else ROUNDS)
    at_once = SHAPES[options.shape].at_once if options.shape else AT_ONCE
    options.at_once = options.at_once or at_once[: SHORT_AT_ONCE if options.short else None]
    offered = BOUNDED if options.shape else WORKLOADS
    options.workloads = [
        one for one in offered if not options.workloads or one.name in options.workloads
    ]
    return options


def main(argv: list[str] | None = None) -> int:
    options = _options(argv)
    with ExitStack() as stack:
        model, flags = options.model_path, shlex.split(options.flags)
        if options.shape:
            model = stack.enter_context(TemporaryDirectory())
            write(SHAPES[options.shape], Path(model))
            flags = ["--load-format", "dummy", *SHAPES[options.shape].flags, *flags]
        wanted = {}
        for told in options.sides.split(","):
            name, _, own = told.partition("=")
            wanted[name] = [*flags, *shlex.split(own)]
        sides = stack.enter_context(running(wanted, model))
        results = run(sides, options)
    print(table(results), "", ratios(results, sides[-1].name), sep="\n")
    for (workload, concurrency), samples in results.items():
        for name, sample in samples.items():
            for fault in dict.fromkeys(sample.bad[:3]):
                print(f"{workload}, {concurrency} at once, {name}: {fault}")
    if options.json:
        told = [
            {"workload": workload, "at once": concurrency, "server": name, **sample.figures()}
            for (workload, concurrency), samples in results.items()
            for name, sample in samples.items()
        ]
        options.json.write_text(json.dumps(told, indent=1))
    if options.plot:
        from benchmarks.serving.plot import draw  # not all have matplotlib

        draw(results, options.plot)
    return 0


if __name__ == "__main__":
    sys.exit(main())

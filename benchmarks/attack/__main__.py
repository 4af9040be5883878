"""Attacks on a server as trusted servers are tested, in a table of figures and limits.

    python -m benchmarks.attack [--engine scripted|sglang] [--only schemas] [--json]

While a flood is sent, another process asks `/health` every 20 ms and reads a stream: the longest
wait and the longest gap have limits (SECURITY.md), and so has what the server holds afterwards. The
server runs on this machine, beside who attacks it. Exit code 1 if anything is beyond its limit.
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

from benchmarks.attack import checks, floods
from benchmarks.attack.target import LASTING, ROOT, Target, elsewhere

HEALTH_MS = 100
GAP_MS = 250
HELD_MB = 400
"""What a flood may leave behind: allocators keep some of what was in use."""

FLOODS: dict[str, Callable[[Target], str]] = {
    "nothing, for comparison": floods.nothing,
    "a text of 100 kB": floods.long_text(100_000),
    "a text of 1 MB": floods.long_text(1_000_000),
    "a text of 10 MB": floods.long_text(10_000_000),
    "a text of 30 MB": floods.long_text(30_000_000),
    "prompts of 3,700 tokens": floods.long_prompts,
    "30 MB of escapes": floods.escapes,
    "1,000,000 messages": floods.messages,
    "1,000,000 unknown fields": floods.fields,
    "500 new tools": floods.tools,
    "hostile schemas": floods.schemas,
    "schemas that take long": floods.slow_schemas,
    "a header of 50 MB": floods.header(50_000_000),
    "1,000,000 headers": floods.headers,
    "440 half-sent requests": floods.half_sent,
    "readers that do not read": floods.silent_readers,
    "100 clients that leave": floods.leavers,
}

CHECKS: dict[str, tuple[Callable[[Target], checks.Outcome], str]] = {
    "web pages of strangers": (checks.pages, "refused"),
    "the sandbox stands still": (checks.stopped_sandbox, f"200 in {checks.SANDBOX_SECONDS:.0f} s"),
    "sockets beyond loopback": (checks.sockets, "none"),
    "left in the log": (checks.quiet, "no tracebacks"),
}
WITH_A_MODEL: dict[str, tuple[Callable[[Target], checks.Outcome], str]] = {
    "sampling at its bounds": (checks.extremes, "all answered"),
    "tokens in others' prompts": (checks.apart, "none"),
    "prompts as long as the context": (checks.full_prompts, "own errors only"),
}


@dataclass
class Row:
    """One attack: what came of it, the limit, and whether it is within."""

    attack: str
    figure: str
    limit: str
    within: bool


class Probe:
    """The process of `benchmarks.attack.probe`."""

    def __init__(self, target: Target) -> None:
        fields = json.dumps({**LASTING, "max_tokens": 4000})
        command = [sys.executable, "-m", "benchmarks.attack.probe", target.url, target.model]
        self._process = subprocess.Popen(
            [*command, "endless", fields],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )

    def read(self) -> tuple[float, float]:
        """Milliseconds since it was last read: for an answer, and between two of a stream."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        waited, gap = json.loads(self._process.stdout.readline())
        return waited, gap

    def close(self) -> None:
        self._process.communicate("")


def flooded(target: Target, only: str) -> Iterator[Row]:
    """A row for each flood whose name has `only` in it."""
    with closing(Probe(target)) as probe:
        time.sleep(4)  # for its stream to have begun
        for name, attack in FLOODS.items():
            if only not in name:
                continue
            before = target.megabytes()
            probe.read()
            told = elsewhere(partial(attack, target))
            waited, gap = probe.read()
            held = target.megabytes() - before
            yield Row(
                name,
                f"{waited:4.0f} ms, {gap:4.0f} ms, {held:+5.0f} MB   {told}",
                f"{HEALTH_MS} ms, {GAP_MS} ms, {HELD_MB} MB",
                waited <= HEALTH_MS and gap <= GAP_MS and held <= HELD_MB,
            )


def checked(target: Target) -> Iterator[Row]:
    """A row for each attack with an outcome of its own."""
    wanted = CHECKS | (WITH_A_MODEL if target.engine == "sglang" else {})
    for name, (check, limit) in wanted.items():
        figure, within = check(target)
        yield Row(name, figure, limit, within)


def of_others(engine: str) -> Iterator[Row]:
    """Attacks that need a server of their own."""
    flags = "--drain-timeout", "1", "--log-level", "info"
    with started(engine, *flags, environment={"FUNCTIONARY_API_KEY": checks.KEY}) as target:
        figure, within = checks.secrets(target)
        yield Row("the key, where it should not be", figure, "nowhere", within)
    with started(engine, "--drain-timeout", "1") as target:
        figure, within = checks.end(target)
        yield Row("SIGTERM under answers", figure, "503 and error events, exit 0", within)


@contextmanager
def started(
    engine: str, *flags: str, environment: Mapping[str, str] | None = None
) -> Iterator[Target]:
    with closing(Target(engine, *flags, environment=environment)) as target:
        yield target


def rows(engine: str, only: str) -> Iterator[Row]:
    with started(engine) as target:
        yield from flooded(target, only)
        if only:
            return
        yield from checked(target)
    yield from of_others(engine)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--engine", choices=("scripted", "sglang"), action="append")
    parser.add_argument("--json", action="store_true", help="print rows as JSON")
    parser.add_argument("--only", default="", help="only floods with this in their names")
    options = parser.parse_args(argv)
    failed = 0
    for engine in options.engine or ("scripted", "sglang"):
        if not options.json:
            print(
                f"\n{engine}: longest wait for /health, longest gap in a stream, memory held after"
            )
        for row in rows(engine, options.only):
            failed += not row.within
            told: Any = asdict(row) | {"engine": engine}
            mark = "  " if row.within else "! "
            line = f"{mark}{row.attack:32}{row.figure}   (limit: {row.limit})"
            print(json.dumps(told) if options.json else line, flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

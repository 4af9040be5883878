"""Whether the same schema always gets the same verdict, on a machine that has no time for it.

    python -m benchmarks.verdicts [--repeats 200] [--burners 2] [--tokenizer tokenizer.json]

Each schema is looked at so often, each time by a gate that has seen nothing before, while other
processes take all the processor time that they can have. Prints a table in Markdown: what became of
each, how many different verdicts there were, and what a trial of it takes. Exit code 1 if there
was more than one. `benchmarks.tokenizer` makes a tokenizer of a realistic size; the default has a
token for each byte.
"""

import argparse
import asyncio
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import psutil

from functionary_sgl.chat.tools import Tool
from functionary_sgl.engines.base import Constraint
from functionary_sgl.engines.grammar import check
from functionary_sgl.engines.scripted import Script, ScriptedEngine
from functionary_sgl.errors import InvalidSchema
from functionary_sgl.gate import Gate
from functionary_sgl.prompt import checkpoint
from functionary_sgl.sandbox import Sandboxes
from tests import burdens, hostile

# Where work is bounded: the largest of these counts that is enforced, and one more.
FAMILIES: dict[str, tuple[Callable[[int], str], int]] = {
    "optional letters": (burdens.optional_letters, 5_000),
    "optional properties": (burdens.optional_properties, 2_500),
    "objects in an enum": (burdens.objects, 9_000),
}
LARGE = (
    *("enum of 10,000 short", "enum of 3,000 objects", "1,000 properties", "2,000 alternatives"),
    *("a long key", "nested counts", "30 patterns at once", "all of many alternatives"),
    "recursive without end",
)


class Engine(ScriptedEngine):
    """Tries schemas with a tokenizer of any size."""

    def __init__(self, sandboxes: Sandboxes) -> None:
        tokenizer = checkpoint.load(str(checkpoint.EMBEDDED)).tokenizer
        super().__init__(Script(replies=[]), tokenizer)
        self._sandboxes = sandboxes

    def check(self, constraints: Sequence[Constraint], patient: bool) -> list[str | None]:
        return check(constraints, self._sandboxes, patient)


def verdict(engine: Engine, schema: str) -> str:
    """Of a gate that has seen nothing before."""
    try:
        known = asyncio.run(Gate(engine).admit([Tool("f", parameters_json=schema)]))["f"]
    except InvalidSchema as error:
        return f"400: {error.message}"
    count = len(known.unenforced)
    return f"without {count} keyword{'s' * (count > 1)}" if count else "enforced"


def schemas(engine: Engine) -> dict[str, str]:
    """By name; those at a bound are looked for."""

    def holds(schema: str) -> bool:
        return verdict(engine, schema) == "enforced"

    found = {
        "two dates": burdens.two_dates(),
        "like Kubernetes' own": burdens.kubernetes_like(),
        **{name: hostile.SCHEMAS[name] for name in LARGE},
    }
    for name, (made, most) in FAMILIES.items():
        count = burdens.boundary(made, holds, most)
        found |= {f"{n} {name}": made(n) for n in (count, count + 1)}
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=200)
    parser.add_argument("--burners", type=int, default=2)
    parser.add_argument("--tokenizer", type=Path)
    options = parser.parse_args()
    file: Path | None = options.tokenizer
    engine = Engine(Sandboxes(file.read_text("utf-8")) if file else Sandboxes())
    wanted = schemas(engine)
    print(f"{os.cpu_count()} cores, {options.burners} others\n")
    print("| schema | what becomes of it | verdicts | ms of processors, mean | ms, mean |")
    print("| --- | --- | --- | --- | --- |")
    several = 0
    with burdens.burning(options.burners):
        for name, schema in wanted.items():
            used, begin = _processor(), time.perf_counter()
            told = Counter(verdict(engine, schema) for _ in range(options.repeats))
            taken = _processor() - used, time.perf_counter() - begin
            several += len(told) > 1
            means = " | ".join(f"{1e3 * one / options.repeats:.0f}" for one in taken)
            print(f"| {name} | {'; '.join(told)} | {len(told)} | {means} |", flush=True)
    return 1 if several else 0


def _processor() -> float:
    """Seconds that this process and its sandboxes have used."""
    own = psutil.Process()
    sandboxes = [one for one in own.children(recursive=True) if "worker.py" in str(one.cmdline())]
    return sum(sum(process.cpu_times()[:4]) for process in (own, *sandboxes))


if __name__ == "__main__":
    sys.exit(main())

"""Where the model's own answer is right, does the constraint change nothing?

    python -m benchmarks.fidelity [--limit N] [--json] [FLAGS OF A SERVER]
    python -m benchmarks.fidelity --base-url URL --free-url URL

Asks each question twice at temperature 0, streamed: without constraints, and with. Where the free
answer calls functions on offer with arguments that are valid by their schemas (or calls nothing),
the constrained one has to be the same. Each difference is printed with its cause.

Without --base-url a server is started on the embedded model. It serves one engine in both ways; in
float32, where no two tokens tie and a batch's size does not tip what is likeliest. BFCL's questions
are asked where .bfcl has been installed (`make bfcl` or `make fidelity`).

Exit code 1 if there are differences that docs/constraints.md does not have.
"""

import argparse
import contextlib
import json
import sys
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tqdm import tqdm

from benchmarks.fidelity.causes import DOCUMENTED, difference
from benchmarks.fidelity.pieces import in_order
from benchmarks.fidelity.sources import Source, sources
from benchmarks.guarantee import running_server
from functionary_sgl.evaluation.client import Answer, Client
from functionary_sgl.evaluation.questions import Question
from functionary_sgl.evaluation.scores import score

SERVER = Path(__file__).parent / "server.py"


@dataclass(frozen=True)
class Pair:
    """The answers to a question."""

    question: Question
    free: Answer
    constrained: Answer

    @property
    def counts(self) -> bool:
        """Whether the free answer is one that no constraint should change."""
        finished = not (self.free.error or self.constrained.error)
        return finished and score(self.question, self.free).valid is not False

    @property
    def reordered(self) -> bool:
        """Whether a call's keys are in another order than its schema's."""
        schemas = self.question.schemas
        calls = [call for call in self.free.calls if call.name in schemas]
        return not all(in_order(schemas[call.name], call.arguments) for call in calls)


def ask(source: Source, free: Client, constrained: Client, concurrency: int) -> list[Pair]:
    """The answers to all questions of `source`."""

    def pair(question: Question) -> Pair:
        sampling = {"temperature": 0, "max_tokens": 512}
        answers = (client.ask(question.request, **sampling) for client in (free, constrained))
        return Pair(question, *answers)

    with ThreadPoolExecutor(concurrency) as pool:
        asked = pool.map(pair, source.questions)
        return list(tqdm(asked, source.name, len(source.questions)))


def figures(source: Source, pairs: Sequence[Pair]) -> dict[str, Any]:
    """What the answers show, by name."""
    counted = [pair for pair in pairs if pair.counts]
    calling = [pair for pair in counted if pair.free.calls]
    found = [
        (pair.question.id, one)
        for pair in counted
        if (one := difference(pair.question, pair.free, pair.constrained))
    ]
    differing = {name for name, _ in found}
    return {
        "asked": len(pairs),
        "failed": sum(bool(pair.free.error or pair.constrained.error) for pair in pairs),
        "right, free": sum(source.right([pair.free for pair in pairs])),
        "right, constrained": sum(source.right([pair.constrained for pair in pairs])),
        "valid free calls": len(calling),
        "calls the same": sum(pair.question.id not in differing for pair in calling),
        "free texts": len(counted) - len(calling),
        "texts the same": sum(
            pair.question.id not in differing for pair in counted if not pair.free.calls
        ),
        "other order": sum(pair.reordered for pair in calling),
        "causes": dict(Counter(one.cause for _, one in found)),
        "differences": [[name, one.cause, one.free, one.constrained] for name, one in found],
    }


def table(results: dict[str, dict[str, Any]]) -> str:
    """The results of all sources, for people."""
    lines = []
    for name, result in results.items():
        for number, cause, free, constrained in result["differences"]:
            lines += [f"{name}, {number}: {cause}", f"  free         {free}"]
            lines += [f"  constrained  {constrained}"]
    names = list(results)
    lines += ["", " " * 22 + "".join(f"{name:>12}" for name in names)]
    rows = [key for key in results[names[0]] if key not in ("causes", "differences")]
    lines += [f"{row:22}" + "".join(f"{results[n][row]:12,}" for n in names) for row in rows]
    causes = dict.fromkeys(cause for result in results.values() for cause in result["causes"])
    for cause in causes:
        counts = (result["causes"].get(cause, 0) for result in results.values())
        lines.append(f"  {cause:20}" + "".join(f"{count:12,}" for count in counts))
    return "\n".join(lines)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.fidelity",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--limit", type=int, default=60, help="questions of each category (default: 60; 0: all)"
    )
    parser.add_argument("--concurrency", type=int, default=8)
    parser.add_argument("--base-url", help="of a running server, ending with /v1")
    parser.add_argument("--free-url", help="of the same with --constraints off")
    parser.add_argument("--api-key", default="none")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    options, flags = parser.parse_known_args(argv)
    if bool(options.base_url) != bool(options.free_url):
        parser.error("--base-url and --free-url go together")
    if options.base_url and flags:
        parser.error(f"flags for a server that is not started here: {' '.join(flags)}")
    with contextlib.ExitStack() as stack:
        url, free_url = options.base_url, options.free_url
        if not url:
            url = stack.enter_context(running_server(flags, SERVER))
            free_url = f"{url.removesuffix('/v1')}/free/v1"
        free, constrained = (Client(one, options.api_key) for one in (free_url, url))
        results = {
            source.name: figures(source, ask(source, free, constrained, options.concurrency))
            for source in sources(options.limit or None)
        }
    print(json.dumps(results, indent=2) if options.json else table(results))
    causes = {cause for result in results.values() for cause in result["causes"]}
    failed = sum(result["failed"] for result in results.values())
    return 1 if failed or causes - set(DOCUMENTED) else 0


if __name__ == "__main__":
    sys.exit(main())

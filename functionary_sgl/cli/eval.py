"""`functionary-sgl eval`."""

import argparse
import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from rich import box
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from functionary_sgl.cli.flags import Parser
from functionary_sgl.errors import UsageError
from functionary_sgl.evaluation import questions, scores
from functionary_sgl.evaluation.client import Client
from functionary_sgl.evaluation.questions import Question

_SHARES = ("decision", "function", "exact", "valid")


def evaluate(argv: Sequence[str]) -> int:
    """Ask a server the held-out questions, and print how many of its answers are right.

    Without --base-url a server is started, with all flags that are not listed here.
    """
    options, others = _parser().parse_known_args(argv)
    asked = questions.read(options.questions, options.limit)
    if options.base_url is not None and others:
        raise UsageError(f"unknown flag {others[0]} (flags of the server go without --base-url)")
    console = Console(stderr=True)
    with contextlib.ExitStack() as stack:
        url = options.base_url or stack.enter_context(_started(others))
        client = Client(url, options.api_key, options.model)
        stack.callback(client.close)
        rows = scores.rows(_asked(client, asked, options, console))
    if options.json:
        print(json.dumps({"model": client.model, "rows": [row.to_dict() for row in rows]}))
    else:
        Console().print(_table(client.model, rows))
    return 0


def _parser() -> Parser:
    parser = Parser(prog="functionary-sgl eval", description=evaluate.__doc__)
    add = parser.add_argument
    add("--base-url", metavar="URL", help="of a running server, with its /v1")
    add("--model", metavar="NAME", help="default: the first that the server lists")
    add("--api-key", metavar="KEY", default="none")
    add("--questions", metavar="FILE", type=Path, default=questions.HELD_OUT)
    add("--limit", metavar="N", type=int, help="so many questions of each category")
    add("--concurrency", metavar="N", type=int, default=8, help="default: 8 at a time")
    add("--temperature", metavar="T", type=float, default=0.0, help="default: 0")
    add("--max-tokens", metavar="N", type=int, default=512, help="default: 512")
    add("--json", action="store_true", help="print JSON instead of a table")
    return parser


def _asked(
    client: Client, asked: Sequence[Question], options: argparse.Namespace, console: Console
) -> list[scores.Score]:
    """The scores in the order of the questions."""
    sampling = {"temperature": options.temperature, "max_tokens": options.max_tokens}
    done: dict[int, scores.Score] = {}
    with Progress(console=console) as bar, ThreadPoolExecutor(options.concurrency) as pool:
        task = bar.add_task("asking", total=len(asked))
        running = {
            pool.submit(client.ask, question.request, **sampling): index
            for index, question in enumerate(asked)
        }
        for future in as_completed(running):
            index = running[future]
            done[index] = scores.score(asked[index], future.result())
            bar.advance(task)
    return [done[index] for index in range(len(asked))]


@contextlib.contextmanager
def _started(flags: Sequence[str]) -> Iterator[str]:
    """A server of this package on a free port; its address."""
    command = [sys.executable, "-m", "functionary_sgl", "serve", *flags, "--port", "0"]
    command += ["--request-log", "off"]  # there is a progress bar
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            address = next((line for line in process.stdout if line.startswith("address")), None)
            if address is None:
                raise UsageError("the server did not start")
            yield address.split()[-1]
        finally:
            process.terminate()


def _table(model: str, rows: Sequence[scores.Row]) -> Table:
    table = Table(title=model, box=box.SIMPLE_HEAD, padding=0, show_edge=False)
    table.add_column("category", no_wrap=True)
    for name in ("asked", *_SHARES, "tokens", "seconds"):
        table.add_column(name, justify="right")
    for row in rows:
        shares = [getattr(row, name) for name in _SHARES]
        shown = ["" if share is None else f"{100 * share:.1f} %" for share in shares]
        if row.category == "all":
            table.add_section()
        table.add_row(
            row.category, str(row.questions), *shown, f"{row.tokens:.1f}", f"{row.seconds:.2f}"
        )
    if errors := rows[-1].errors:
        table.caption = f"{errors} requests failed"
    return table

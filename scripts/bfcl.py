"""Score a running server with single-turn categories of the Berkeley Function-Calling Leaderboard.

    make serve                      in one terminal
    make bfcl [ARGS="--limit 50"]   in another

Questions, right answers and checker are those of the `bfcl-eval` package (Apache 2.0), which has an
environment of its own, as its dependencies are many. Names with dots have underscores instead, as
for OpenAI's models.

For other benchmarks, `--questions` prints the questions as functionary_sgl/evaluation reads them,
each with one of its right answers, and `--judge` reads answers to all of these, on each line a JSON
list of calls (name, arguments as text) or null for a failure, and prints which are right.
"""

import argparse
import json
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bfcl_eval
from bfcl_eval.constants.enums import Language, ModelStyle
from bfcl_eval.constants.type_mappings import GORILLA_TO_OPENAPI
from bfcl_eval.eval_checker.ast_eval.ast_checker import ast_checker
from bfcl_eval.model_handler.utils import convert_to_tool
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from functionary_sgl.evaluation.client import Answer, Client, GivenCall

CATEGORIES = ("simple_python", "multiple", "parallel", "irrelevance")
DATA = Path(bfcl_eval.__file__).parent / "data"

# A model of the package's list whose functions are named as here; the checker asks for one.
NAMED_ALIKE = "meetkai/functionary-small-v3.1-FC"


@dataclass(frozen=True)
class Case:
    """A question; `right` is empty where no function should be called."""

    category: str
    request: dict[str, Any]
    functions: list[dict[str, Any]]
    right: list[Any]

    def question(self, number: int) -> dict[str, Any]:
        """As a line of a file of questions."""
        calls = [
            {"name": name.replace(".", "_"), "arguments": _first(values)}
            for call in self.right
            for name, values in call.items()
        ]
        return {
            "id": f"{self.category} {number}",
            "category": self.category,
            "request": self.request,
            "expected": {"calls": calls},
        }

    def is_right(self, answer: Answer) -> bool:
        if not self.right:
            return answer.error is None and not answer.calls
        try:
            calls = [{call.name: json.loads(call.arguments)} for call in answer.calls]
        except ValueError:
            return False
        checked = ast_checker(
            self.functions, calls, self.right, Language.PYTHON, self.category, NAMED_ALIKE
        )
        return bool(checked["valid"])


def _first(values: dict[str, list[Any]]) -> dict[str, Any]:
    """The first of the values that each argument may have, without those that may be left out."""
    kept = {name: options[0] for name, options in values.items() if "" not in options}
    return {k: _first(v) if isinstance(v, dict) else v for k, v in kept.items()}


def cases(category: str, limit: int | None) -> Iterator[Case]:
    name = f"BFCL_v4_{category}.json"
    answers = DATA / "possible_answer" / name
    right = {entry["id"]: entry["ground_truth"] for entry in _lines(answers)}
    for entry in _lines(DATA / name)[:limit]:
        functions = entry["function"]
        tools = convert_to_tool(functions, GORILLA_TO_OPENAPI, ModelStyle.OPENAI_COMPLETIONS)
        request = {"messages": entry["question"][0], "tools": tools}
        yield Case(category, request, functions, right.get(entry["id"], []))


def _lines(file: Path) -> list[dict[str, Any]]:
    if not file.is_file():
        return []
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--base-url", default="http://127.0.0.1:8000/v1")
    parser.add_argument("--api-key", default="none")
    parser.add_argument("--limit", type=int, help="so many questions of each category")
    parser.add_argument("--concurrency", type=int, default=8)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--questions", action="store_true", help="print the questions, ask nothing")
    parser.add_argument("--judge", action="store_true", help="judge the answers on standard input")
    options = parser.parse_args()
    asked = [case for category in CATEGORIES for case in cases(category, options.limit)]
    if options.questions:
        for number, case in enumerate(asked, start=1):
            print(json.dumps(case.question(number)))
    elif options.judge:
        answers = map(_answer, sys.stdin)
        print(json.dumps([case.is_right(a) for case, a in zip(asked, answers, strict=True)]))
    else:
        _score(asked, options)


def _answer(line: str) -> Answer:
    calls = json.loads(line)
    if calls is None:
        return Answer(error="it failed")
    return Answer(calls=tuple(GivenCall(name, arguments) for name, arguments in calls))


def _score(asked: list[Case], options: argparse.Namespace) -> None:
    client = Client(options.base_url, options.api_key)
    right: dict[str, list[bool]] = {category: [] for category in CATEGORIES}
    failed = 0
    with (
        Progress(console=Console(stderr=True)) as bar,
        ThreadPoolExecutor(options.concurrency) as pool,
    ):
        task = bar.add_task("asking", total=len(asked))
        answers = pool.map(
            lambda case: client.ask(case.request, temperature=0, max_tokens=512), asked
        )
        for case, answer in zip(asked, answers, strict=True):
            right[case.category].append(case.is_right(answer))
            failed += answer.error is not None
            bar.advance(task)
    scores = {name: sum(verdicts) / len(verdicts) for name, verdicts in right.items()}
    if options.json:
        print(json.dumps({"model": client.model, "scores": scores, "failed": failed}))
        return
    table = Table("category", "questions", "right", title=client.model)
    for name, verdicts in right.items():
        table.add_row(name, str(len(verdicts)), f"{100 * scores[name]:.1f} %")
    table.caption = f"{failed} requests failed" if failed else None
    Console().print(table)


if __name__ == "__main__":
    main()

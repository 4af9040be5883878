"""Questions, and which answers to them are right."""

import json
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from functionary_sgl.evaluation import questions
from functionary_sgl.evaluation.client import Answer
from functionary_sgl.evaluation.questions import Question
from functionary_sgl.evaluation.scores import score

_ROOT = Path(__file__).parents[2]
_BFCL = _ROOT / ".bfcl" / "bin" / "python"


@dataclass(frozen=True)
class Source:
    """Questions that belong together; at most `limit` of each category."""

    name: str
    questions: Sequence[Question]
    limit: int | None

    def right(self, answers: Sequence[Answer]) -> list[bool]:
        """Which of `answers`, one for each question, are right."""
        pairs = zip(self.questions, answers, strict=True)
        return [score(question, answer).exact for question, answer in pairs]


class Leaderboard(Source):
    """Of the Berkeley Function-Calling Leaderboard, with its own checker."""

    def right(self, answers: Sequence[Answer]) -> list[bool]:
        calls = [
            None if answer.error else [(call.name, call.arguments) for call in answer.calls]
            for answer in answers
        ]
        told = _leaderboard("--judge", self.limit, "\n".join(map(json.dumps, calls)))
        verdicts: list[bool] = json.loads(told)
        return verdicts


def sources(limit: int | None) -> list[Source]:
    """The leaderboard is among them where its environment is installed."""
    found = [
        Source("held-out", questions.read(questions.HELD_OUT, limit), limit),
        Source("everyday", questions.read(_ROOT / "nano/data/everyday.jsonl", limit), limit),
    ]
    if _BFCL.exists():
        with tempfile.NamedTemporaryFile("w", suffix=".jsonl", encoding="utf-8") as file:
            file.write(_leaderboard("--questions", limit))
            file.flush()
            found.append(Leaderboard("BFCL", questions.read(Path(file.name)), limit))
    return found


def _leaderboard(what: str, limit: int | None, text: str = "") -> str:
    command = [str(_BFCL), "-W", "ignore", str(_ROOT / "scripts" / "bfcl.py"), what]
    command += [] if limit is None else ["--limit", str(limit)]
    done = subprocess.run(command, input=text, stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout

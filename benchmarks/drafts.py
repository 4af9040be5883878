"""How much of right calls drafts foresee: no model, no time, but how many passes one would take.

    python -m benchmarks.drafts [--model-path DIR] [--at-once 1 8 32] [--limit N]

A right answer to each question that wants calls is walked through: what is drafted at each step
(engines/sglang/scheduler/drafts/), and how much of it is in the answer. The questions are the
held-out ones, the everyday ones, and where `make bfcl` has been, the Berkeley leaderboard's.

Columns: tokens of an answer, which is its passes without drafts; passes with them; rows of these
passes, the sum of their widths; the share of what was drafted that came; microseconds for a draft.
"""

import argparse
import json
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from llguidance import LLMatcher, LLTokenizer

from benchmarks.fidelity.sources import sources
from functionary_sgl.api.chat import intake
from functionary_sgl.api.chat.requests import ChatRequest
from functionary_sgl.chat.schema import arguments
from functionary_sgl.engines.base import Constraint
from functionary_sgl.engines.grammar import grammar
from functionary_sgl.engines.sglang.scheduler.drafts.proposals import drafts
from functionary_sgl.errors import FunctionaryError
from functionary_sgl.evaluation.questions import Question
from functionary_sgl.prompt import checkpoint
from functionary_sgl.prompt.prompter import Prompter
from functionary_sgl.runtime.turn_grammar import turn_grammar
from functionary_sgl.turns import FORMATS

MOST = 15
_FORMAT = FORMATS["v3.llama3"]


@dataclass
class Walks:
    """What was counted in so many answers."""

    answers: int = 0
    tokens: int = 0
    passes: int = 0
    rows: int = 0
    drafted: int = 0
    came: int = 0
    seconds: float = 0.0

    def row(self) -> str:
        """In Markdown."""
        each = (self.tokens, self.passes, self.rows)
        told = [f"{count / self.answers:.1f}" for count in each]
        share = self.came / max(1, self.drafted)
        return " | ".join([*told, f"{share:.2f}", f"{1e6 * self.seconds / self.passes:.0f}"])


class Walker:
    """Answers in the form of functionary-small-v3.2, in the tokens of a checkpoint."""

    def __init__(self, model_path: str) -> None:
        loaded = checkpoint.load(model_path)
        self._prompter = Prompter(_FORMAT, loaded.tokenizer, None)
        tokenizer = self._prompter.tokenizer
        self._ids = LLTokenizer(tokenizer.definition, n_vocab=tokenizer.most_id + 1)
        self._end = tokenizer.control_ids["<|eot_id|>"]

    def walk(self, question: Question, at_once: int, walks: Walks) -> None:
        """Count the right answer to `question` as one of so many at once, unless it wants none or
        what it wants is not allowed."""
        started = self._started(question)
        if started is None:
            return
        prompt, answer, matcher = started
        request = SimpleNamespace(
            grammar=SimpleNamespace(
                ll_matcher=matcher, llguidance_tokenizer=self._ids, finished=False
            ),
            sampling_params=_Plain,
            origin_input_ids=prompt,
            eos_token_ids={self._end},
            output_ids=answer[:1],
        )
        matcher.consume_token(answer[0])
        walks.answers, walks.tokens = walks.answers + 1, walks.tokens + len(answer)
        walks.passes, walks.rows = walks.passes + 1, walks.rows + 1
        while (place := len(request.output_ids)) < len(answer):
            begun = time.perf_counter()
            draft = drafts([request] * at_once, MOST)[0].ids
            walks.seconds += (time.perf_counter() - begun) / at_once
            pairs = zip(draft, answer[place:], strict=False)
            came = next((n for n, (one, other) in enumerate(pairs) if one != other), None)
            came = min(len(draft), len(answer) - place) if came is None else came
            for token_id in answer[place : place + came + 1]:
                matcher.consume_token(token_id)
                request.output_ids.append(token_id)
            walks.passes, walks.rows = walks.passes + 1, walks.rows + 1 + len(draft)
            walks.drafted, walks.came = walks.drafted + len(draft), walks.came + came

    def _started(self, question: Question) -> tuple[list[int], list[int], Any] | None:
        """The prompt, the right answer, and the grammar at its beginning."""
        if not question.calls or any(call.name == "python" for call in question.calls):
            return None
        try:
            asked = intake.conversation(ChatRequest.from_json(json.dumps(question.request)))
            schemas = {t.name: arguments(t).constraint for t in asked.callable_functions()}
            offer = self._prompter.offers.of(asked, schemas)
            prompt = list(self._prompter.prompt(asked).token_ids)
        except FunctionaryError:
            return None
        tokenizer, ends = self._prompter.tokenizer, self._prompter.stop_token_ids
        made = turn_grammar(_FORMAT.program, offer, tokenizer, ends)
        assert made is not None
        matcher = LLMatcher(self._ids, grammar(Constraint("lark", made.starts[0].source)))
        answer: list[int] = []
        for call in question.calls:
            answer += self._ids.tokenize_str(">>>") if answer else []
            answer += self._ids.tokenize_str(f"{call.name}\n")
            answer += self._ids.tokenize_str(json.dumps(call.arguments, ensure_ascii=False))
        answer.append(self._end)
        return (prompt, answer, matcher) if matcher.validate_tokens(answer) == len(answer) else None


class _Plain:
    """Parameters of a request that have drafts."""

    frequency_penalty = presence_penalty = min_new_tokens = 0
    repetition_penalty = 1
    max_new_tokens = 10_000
    stop_token_ids = None


def rows(model_path: str, at_once: list[int], limit: int | None) -> Iterator[str]:
    """The table, line by line."""
    walker = Walker(model_path)
    yield "| questions | answers | at once | tokens | passes | rows | came | us |"
    yield "|---" * 8 + "|"
    for source in sources(limit):
        for count in at_once:
            walks = Walks()
            for question in source.questions:
                walker.walk(question, count, walks)
            if walks.answers:
                yield f"| {source.name} | {walks.answers} | {count} | {walks.row()} |"


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.drafts",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--model-path", default=str(checkpoint.EMBEDDED))
    parser.add_argument("--at-once", type=int, nargs="+", default=[1, 8, 32])
    parser.add_argument("--limit", type=int, help="questions of each category")
    options = parser.parse_args(argv)
    for row in rows(options.model_path, options.at_once, options.limit):
        print(row, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""A turn as one grammar: its program replayed with each answer that it may get.

A program is a function of its offer and of what the model answers, so what may come is known before
the model is asked: one of some names, arguments by a schema, and then an end or another name. An
engine that is given this as one grammar needs one request where each question would be one. Where
text is free, the grammar ends: from there on questions are asked one by one.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from functionary_sgl.grammars import value_of
from functionary_sgl.grammars.lark import (
    NEVER,
    NOTHING,
    Choice,
    Expression,
    Grammar,
    Literal,
    Name,
    Token,
    sequence,
)
from functionary_sgl.runtime.events import Variable
from functionary_sgl.runtime.prompt import Prompt
from functionary_sgl.runtime.replay import Step, replayed
from functionary_sgl.runtime.value_ends import common_lead, lead, tails
from functionary_sgl.tokenizer import Tokenizer

_ARGUMENTS = "{}"
"""What a program is answered for arguments: it asks the same behind any."""

_MOST_ANSWERS = 16


@dataclass(frozen=True, slots=True)
class TurnGrammar:
    """`source`, in Lark, behind the prompt and the ids of `opening`; `control_ids` are the control
    tokens in it. Of what follows the prompt, the first `written` ids are not the model's own.
    """

    opening: tuple[int, ...]
    written: int
    source: str
    control_ids: tuple[int, ...]


def turn_grammar(program: Any, offer: object, tokenizer: Tokenizer) -> TurnGrammar | None:
    """The grammar for turns of `program` with `offer`; None where text is free from the first.

    Raises InvalidSchema for what no grammar here can hold.
    """
    return _Composer(program, offer, tokenizer).composed()


class _Composer:
    def __init__(self, program: Any, offer: object, tokenizer: Tokenizer) -> None:
        self._program = program
        self._offer = offer
        self._tokenizer = tokenizer
        self._grammar = Grammar()
        self._control_ids: set[int] = set()
        self._choices: dict[tuple[Any, ...], Name] = {}
        self._has_values = False

    def composed(self) -> TurnGrammar | None:
        answers: tuple[str, ...] = ()
        opening: list[int] = []
        held = ""
        step = first = self._step(answers)
        while _is_choice(step) and len(step.expression.choices) == 1:
            (text,), held = self._texts(step, held)
            opening += self._tokenizer.encode_marked(text)
            answers = (*answers, step.expression.choices[0])
            step = self._step(answers)
        if _is_value(step):
            before, start = self._value(answers, step, held)
            opening += self._tokenizer.encode_marked(before)
        else:
            start = self._following(answers, held)
        source = self._grammar.text(start)
        if source is None or not self._has_values:
            return None
        written = len(opening)
        if _is_choice(first):
            written = len(self._tokenizer.encode_marked(first.pending))
        known = tuple(sorted(self._control_ids))
        return TurnGrammar(tuple(opening), written, source, known)

    def _following(self, answers: Sequence[str], held: str) -> Expression:
        """What may come when the program has got these answers; nothing where that is free text.
        `held`: spaces at the end of the last answer."""
        step = self._step(answers)
        if len(answers) > _MOST_ANSWERS:
            return NOTHING
        if _is_choice(step):
            return self._choice(answers, step, held)
        if not _is_value(step):
            return NOTHING
        before, value = self._value(answers, step, held)
        return sequence(*self._tokens(before), value)

    def _choice(self, answers: Sequence[str], step: Step, held: str) -> Name:
        """One of several texts, and what follows each. A turn that goes on as one before does has
        the same rule."""
        texts, left = self._texts(step, held)
        each = [(*answers, choice) for choice in step.expression.choices]
        key = (*texts, left, *(self._ahead(answered, left) for answered in each))
        if key not in self._choices:
            self._choices[key] = self._grammar.rule(NEVER)
            options = [
                sequence(*self._tokens(text), self._following(answered, left))
                for text, answered in zip(texts, each, strict=True)
            ]
            self._grammar.rules[self._choices[key].name] = Choice(tuple(options))
        return self._choices[key]

    def _ahead(self, answers: Sequence[str], held: str) -> Any:
        """What the program asks next, to be compared."""
        step = self._step(answers)
        if step.expression is None:
            return None
        if _is_choice(step):
            return tuple(self._texts(step, held)[0])
        return held + step.pending, step.expression.sampling_params.json_schema

    def _value(self, answers: Sequence[str], step: Step, held: str) -> tuple[str, Expression]:
        """The text before the arguments that `step` asks for, and these with what follows them."""
        self._has_values = True
        pending = held + step.pending
        taken = lead(self._tokenizer, pending)
        schema = json.loads(step.expression.sampling_params.json_schema)
        ends = tails(self._tokenizer, step.expression.before, string=False)
        behind = Choice((self._following((*answers, _ARGUMENTS), ""), *map(Literal, ends)))
        value = sequence(*[Literal(taken)] * bool(taken), value_of(schema, self._grammar), behind)
        return pending.removesuffix(taken), value

    def _texts(self, step: Step, held: str) -> tuple[list[str], str]:
        """The choices of `step` as the interpreter tokenizes them, and the spaces at their end that
        it leaves to what follows."""
        texts = [held + step.pending + choice for choice in step.expression.choices]
        left = common_lead(self._tokenizer, texts)
        return [text.removesuffix(left) for text in texts], left

    def _tokens(self, text: str) -> list[Token]:
        ids = self._tokenizer.encode_marked(text)
        self._control_ids |= set(ids) & set(self._tokenizer.control_ids.values())
        return list(map(Token, ids))

    def _step(self, answers: Sequence[str]) -> Step:
        return replayed(self._program, Prompt("", []), self._offer, answers)


def _is_choice(step: Step) -> bool:
    return hasattr(step.expression, "choices")


def _is_value(step: Step) -> bool:
    """Whether it is the arguments of a call, by a schema."""
    expression = step.expression
    if expression is None or _is_choice(step) or not expression.sampling_params.json_schema:
        return False
    return Variable.parse(expression.name).role == "arguments"

"""A turn as one grammar: its program replayed with each answer that it may get.

A program is a function of its offer and of what the model answers, so what may come is known before
the model is asked: one of some names, arguments by a schema, and then an end, another name, or
text. An engine that is given this as one grammar needs one request where each question would be
one. Text that comes before any call is asked for by itself, without a grammar; behind it the
grammar begins.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any, NamedTuple

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
    optional,
    sequence,
)
from functionary_sgl.grammars.parameters import parameters_of
from functionary_sgl.runtime.questions import Answers, Questions, kind
from functionary_sgl.runtime.replay import Answer, Step
from functionary_sgl.runtime.value_ends import lead, tails
from functionary_sgl.tokenizer import Tokenizer

_ARGUMENTS = Answer("{}")
"""What a program is answered for arguments: it asks the same behind any."""

_MOST_ANSWERS = 16
_MOST_STARTS = 64
_MOST_MARKS = 16
"""That may end a text within a grammar. With more, the grammar ends with the text."""


class Start(NamedTuple):
    """A place where the grammar may begin: behind the prompt or, if `behind_text`, a text, and
    there behind the ids `opening`. `source` is in Lark."""

    opening: tuple[int, ...]
    source: str
    behind_text: bool


@dataclass(frozen=True, slots=True)
class TurnGrammar:
    """`control_ids` are the control tokens in it. Of what follows the prompt, the first `written`
    ids are not the model's own.
    """

    starts: tuple[Start, ...]
    written: int
    control_ids: tuple[int, ...]


def turn_grammar(
    program: Any, offer: object, tokenizer: Tokenizer, ends: Sequence[int]
) -> TurnGrammar | None:
    """The grammar for turns of `program` with `offer`, which end with one of the ids `ends`; None
    where nothing in them is a call by a schema.

    Raises InvalidSchema for what no grammar here can hold.
    """
    return _Composer(program, offer, tokenizer, ends).composed()


class _Composer:
    def __init__(
        self, program: Any, offer: object, tokenizer: Tokenizer, ends: Sequence[int]
    ) -> None:
        self._questions = Questions(program, offer, tokenizer)
        self._tokenizer = tokenizer
        self._ends = tuple(map(Token, ends))
        self._control_ids = set(ends)
        self._grammar = Grammar()
        self._rules: dict[Any, Name] = {}
        self._begun: dict[Any, Start | None] = {}
        self._has_values = False

    def composed(self) -> TurnGrammar | None:
        first = self._questions.step(())
        if kind(first) == "text":
            self._behind((), first)
            begun = None
        else:
            begun = self._start((), behind_text=False)
        starts = [start for start in (begun, *self._begun.values()) if start is not None]
        if not starts or not self._has_values:
            return None
        written = len(self._tokenizer.encode_marked(first.pending))
        if begun and kind(first) == "value":
            written = len(begun.opening)
        return TurnGrammar(tuple(starts), written, tuple(sorted(self._control_ids)))

    def _behind(self, answers: Answers, step: Step) -> None:
        """Let the grammar begin behind the free text that `step` asks for, after each of the marks
        that may end it."""
        marks = self._questions.marks(step)
        for mark in marks if len(marks) <= _MOST_STARTS else []:
            answered = (*answers, Answer("", mark))
            after = self._questions.step(answered, mark)
            key = mark, self._questions.ahead(after, "")
            if key not in self._begun:
                self._begun[key] = None
                if kind(after) == "text":
                    self._behind(answered, after)
                else:
                    self._begun[key] = self._start(answered, behind_text=True)

    def _start(self, answers: Answers, *, behind_text: bool) -> Start | None:
        """Where the grammar begins if the program has got these answers: as late as can be, for
        what is known is read, not written."""
        opening: list[int] = []
        held = ""
        step = self._questions.step(answers)
        while kind(step) == "choice" and len(step.expression.choices) == 1:
            (text,), held = self._questions.texts(step, held)
            opening += self._tokenizer.encode_marked(text)
            answers = (*answers, Answer(step.expression.choices[0]))
            step = self._questions.step(answers)
        expression: Expression = NOTHING
        if kind(step) == "value":
            before, expression = self._value(answers, step, held)
            opening += self._tokenizer.encode_marked(before)
        elif kind(step) == "choice":
            texts, _ = self._questions.texts(step, held)
            shared = _shared([self._tokenizer.encode_marked(text) for text in texts])
            expression = Choice(self._options(answers, step, held, len(shared)))
            opening += shared
        elif kind(step) == "pattern":
            opening += self._tokenizer.encode_marked(held + step.pending)
            expression = self._pattern(answers, Step("", step.expression), "")
        source = self._grammar.text(expression)
        if expression == NOTHING or source is None:
            return None
        return Start(tuple(opening), source, behind_text)

    def _following(self, answers: Answers, held: str, mark: str = "") -> Expression:
        """What may come when the program has got these answers, the last of them ended by `mark`.
        `held`: spaces at the end of the last one. Nothing behind so many answers that the turn may
        never come to what it had before, such as where calls are numbered: there the grammar ends.
        """
        step = self._questions.step(answers, mark)
        match kind(step) if len(answers) <= _MOST_ANSWERS else None:
            case "choice":
                choices = [(*answers, Answer(one)) for one in step.expression.choices]
                key = self._key(step, held, map(self._questions.step, choices))
                return self._rule(key, lambda: self._options(answers, step, held))
            case "value":
                before, value = self._value(answers, step, held)
                return sequence(*self._tokens(before), value)
            case "pattern":
                return self._pattern(answers, step, held)
            case "text":
                return self._text(answers, step, held)
        return NOTHING

    def _rule(self, key: Any, options: Callable[[], tuple[Expression, ...]]) -> Name:
        """One of `options`; a turn that goes on as one before does has the same rule."""
        if key not in self._rules:
            name = self._rules[key] = self._grammar.rule(NEVER)
            self._grammar.rules[name.name] = Choice(options())
        return self._rules[key]

    def _options(
        self, answers: Answers, step: Step, held: str, shared: int = 0
    ) -> tuple[Expression, ...]:
        """One of the texts that `step` lets choose from, without its first `shared` ids, and what
        follows it. Where nothing does, what tells it apart is enough: the request is over then."""
        texts, left = self._questions.texts(step, held)
        each = [[token.token_id for token in self._tokens(text)] for text in texts]
        options = []
        for choice, ids in zip(step.expression.choices, each, strict=True):
            following = self._following((*answers, Answer(choice)), left)
            if following == NOTHING:
                alike = (len(_shared([ids, other])) for other in each if other is not ids)
                ids = ids[: 1 + max(alike, default=0)]
            options.append(sequence(*map(Token, ids[shared:]), following))
        return tuple(options)

    def _value(self, answers: Answers, step: Step, held: str) -> tuple[str, Expression]:
        """The text before the arguments that `step` asks for, and these with what follows them."""
        self._has_values = True
        pending = held + step.pending
        taken = lead(self._tokenizer, pending)
        schema = json.loads(step.expression.sampling_params.json_schema)
        following = self._following((*answers, _ARGUMENTS), "")
        marks = getattr(step.expression, "marks", None)
        if marks is not None:
            marks = marks.in_tokens(self._tokenizer)
            self._control_ids |= marks.characters.keys()
        bracket = "}" if marks is None else marks.end
        ends = tails(self._tokenizer, step.expression.before, string=False, bracket=bracket)
        behind = Choice((following, *map(Literal, ends))) if ends else following
        if marks is not None:
            return pending, sequence(parameters_of(schema, marks, self._grammar), behind)
        value = sequence(*[Literal(taken)] * bool(taken), value_of(schema, self._grammar), behind)
        return pending.removesuffix(taken), value

    def _pattern(self, answers: Answers, step: Step, held: str) -> Expression:
        """What matches a regular expression, and what follows it: nothing if that does not begin
        with a control token, without which nobody could tell where it does."""
        answered = (*answers, Answer(""))
        following = self._tokens(self._questions.step(answered).pending)
        if not following or following[0].token_id not in self._control_ids:
            return NOTHING
        matching = self._grammar.terminal(f"/{step.expression.sampling_params.regex}/")
        before = self._tokens(held + step.pending)
        return sequence(*before, matching, self._following(answered, ""))

    def _text(self, answers: Answers, step: Step, held: str) -> Expression:
        """Text, and what follows the marks that may end it; nothing before the first call, where
        the grammar begins behind it."""
        if _ARGUMENTS not in answers:
            self._behind(answers, step)
            return NOTHING
        marks = self._questions.marks(step)
        few = marks if len(marks) <= _MOST_MARKS else []
        after = (self._questions.step((*answers, Answer("", mark)), mark) for mark in few)
        key = self._key(step, held, after)
        endings = self._rule(key, lambda: self._endings(answers, marks))
        return sequence(*self._tokens(held + step.pending), endings)

    def _endings(self, answers: Answers, marks: Sequence[str]) -> tuple[Expression, ...]:
        """Text to the end of the turn, or up to one of `marks` and on from there."""
        said = optional(self._grammar.terminal("/(?s:.+)/"))
        found: list[Expression] = [sequence(said, end) for end in self._ends]
        for mark in marks:
            *before, last = self._tokens(mark)
            is_control = last.token_id in self._control_ids
            begun = sequence(said, *before, last) if is_control else self._grammar.until(mark)
            following: Expression = NOTHING
            if len(marks) <= _MOST_MARKS:
                following = self._following((*answers, Answer("", mark)), "", mark)
            found.append(sequence(begun, following))
        return tuple(found)

    def _key(self, step: Step, held: str, after: Iterable[Step]) -> Any:
        """The same for a `step` that asks the same and is followed by the same."""
        ahead = self._questions.ahead
        return ahead(step, held), *(ahead(one, "") for one in after)

    def _tokens(self, text: str) -> list[Token]:
        ids = self._tokenizer.encode_marked(text)
        self._control_ids |= set(ids) & set(self._tokenizer.control_ids.values())
        return list(map(Token, ids))


def _shared(each: Sequence[Sequence[int]]) -> list[int]:
    """The ids with which all of them begin."""
    return [ids[0] for ids in takewhile(lambda ids: len(set(ids)) == 1, zip(*each, strict=False))]

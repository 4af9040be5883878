"""What clients say of the form of an answer, tried and made ready for the engine."""

import asyncio
import json
import re
from threading import Lock

from cachetools import LRUCache

from functionary_sgl.chat.custom import ANY_INPUT, STRING, CustomTool
from functionary_sgl.chat.forms import Answer, Form, JSONAnswer, OneOf, TextAnswer
from functionary_sgl.engines.base import TOO_COSTLY, Constraint, Engine
from functionary_sgl.engines.grammar import beginnings
from functionary_sgl.errors import RequestError
from functionary_sgl.forms.lark import lark, quoted
from functionary_sgl.gate import Gate

MAX_CHARACTERS = 32 * 1024
"""Of a regular expression or a grammar, and of all texts of which an answer is one."""

CACHE_CHARACTERS = 4 * 1024 * 1024


class Forms:
    """Lets forms of answers through to `engine`; JSON Schemas through `gate`."""

    def __init__(self, engine: Engine, gate: Gate) -> None:
        self._engine = engine
        self._gate = gate
        self._known: LRUCache[Answer, Form] = LRUCache(
            CACHE_CHARACTERS, lambda form: len(form.source)
        )
        self._inputs: LRUCache[TextAnswer, Form]
        self._inputs = LRUCache(CACHE_CHARACTERS, lambda form: len(form.source))
        self._lock = Lock()

    async def admit(self, answer: Answer) -> tuple[Form, tuple[str, ...]]:
        """The form of `answer`, and pointers to the keywords of its schema that it lacks.

        Raises RequestError for what is none, costs too much, or cannot be enforced.
        """
        if not isinstance(answer, JSONAnswer):
            return await asyncio.to_thread(self._form, answer), ()
        known = (await self._gate.admit([answer], "schema"))[answer.name]
        assert known.constraint is not None
        source = known.constraint
        form = await asyncio.to_thread(self._remembered, answer, Form("json_schema", source))
        return form, known.unenforced

    async def admit_input(self, tool: CustomTool) -> Form:
        """The form, in JSON, of what `tool` is called with; RequestError as `admit` says, and where
        the tool's grammar has no such form."""
        if tool.grammar is None:
            return ANY_INPUT
        return await asyncio.to_thread(self._input, tool.grammar)

    def _input(self, grammar: TextAnswer) -> Form:
        with self._lock:
            if (known := self._inputs.get(grammar)) is not None:
                return known
        form = in_json(grammar)
        self._check(form, grammar.path)
        with self._lock:
            if len(form.source) <= CACHE_CHARACTERS:
                self._inputs[grammar] = form
        return form

    def _form(self, answer: TextAnswer | OneOf) -> Form:
        with self._lock:
            if (known := self._known.get(answer)) is not None:
                return known
        form = one_of(answer) if isinstance(answer, OneOf) else described(answer)
        _check_size(form.source, answer.path)
        self._check(form, answer.path)
        return self._remembered(answer, form)

    def _check(self, form: Form, path: str) -> None:
        constraint = Constraint(form.kind, form.source)
        (fault,) = self._engine.check([constraint], patient=False)
        if fault == TOO_COSTLY:
            (fault,) = self._engine.check([constraint], patient=True)
        if fault is not None:
            raise RequestError(f"It cannot be enforced: {fault}", param=path)

    def _remembered(self, answer: Answer, form: Form) -> Form:
        """`form`, which has been tried, with what its texts begin with."""
        with self._lock:
            known = self._known.get(answer)
        if known is not None and known.source == form.source:
            return known
        if not form.beginnings:
            first = beginnings(Constraint(form.kind, form.source))
            form = Form(form.kind, form.source, first)
        with self._lock:
            if len(form.source) <= CACHE_CHARACTERS:
                self._known[answer] = form
        return form


def one_of(answer: OneOf) -> Form:
    """As a regular expression. It begins with the texts themselves, but for those that go on from
    another: these begin alike."""
    texts = sorted(set(answer.texts))
    shortest: list[str] = []
    for text in texts:  # a text stands right before those that go on from it
        if not shortest or not text.startswith(shortest[-1]):
            shortest.append(text)
    return Form("regex", "|".join(map(re.escape, answer.texts)), tuple(shortest))


def described(answer: TextAnswer) -> Form:
    """By a regular expression, or by a grammar, which becomes one in Lark.

    Raises RequestError for a grammar that cannot be read, or that names control tokens.
    """
    _check_size(answer.source, answer.path)
    if answer.kind == "regex":
        return Form("regex", answer.source)
    try:
        return Form("lark", lark(answer.source))
    except ValueError as error:
        raise RequestError(f"The grammar cannot be used: {error}", param=answer.path) from error


def in_json(grammar: TextAnswer) -> Form:
    """The form of the JSON strings that say what `grammar` describes; RequestError where there is
    none."""
    plain = described(grammar)
    if plain.kind == "regex":
        schema = {**STRING, "pattern": f"^(?:{plain.source})$"}
        return Form("json_schema", json.dumps(schema))
    try:
        return Form("lark", quoted(plain.source))
    except ValueError as error:
        raise RequestError(
            f"The grammar cannot be kept where the input is written as JSON: {error}.",
            param=grammar.path,
        ) from error


def _check_size(source: str, path: str) -> None:
    if not source:
        raise RequestError("It is empty; leave it out, or describe a text.", param=path)
    if len(source) > MAX_CHARACTERS:
        raise RequestError(
            f"It has {len(source)} characters; at most {MAX_CHARACTERS} are taken.", param=path
        )
    if "\0" in source:
        raise RequestError("It has a null character, which no engine takes.", param=path)

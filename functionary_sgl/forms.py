"""What clients say of the form of an answer, tried and made ready for the engine."""

import asyncio
import re
from threading import Lock

from cachetools import LRUCache
from llguidance.gbnf_to_lark import gbnf_to_lark, is_lark_syntax

from functionary_sgl.chat.forms import Answer, Form, JSONAnswer, OneOf, TextAnswer
from functionary_sgl.engines.base import TOO_COSTLY, Constraint, Engine
from functionary_sgl.engines.grammar import beginnings
from functionary_sgl.errors import RequestError
from functionary_sgl.gate import Gate

MAX_CHARACTERS = 32 * 1024
"""Of a regular expression or a grammar, and of all texts of which an answer is one."""

CACHE_CHARACTERS = 4 * 1024 * 1024

# In Lark a `<` outside of strings, patterns and comments begins a control token, by name or id.
_LARK = re.compile(r'"(?:\\.|[^"\\\n])*"|/(?:\\.|[^/\\\n])+/|(?://|#)[^\n]*|(<)|.', re.DOTALL)


class Forms:
    """Lets forms of answers through to `engine`; JSON Schemas through `gate`."""

    def __init__(self, engine: Engine, gate: Gate) -> None:
        self._engine = engine
        self._gate = gate
        self._known: LRUCache[Answer, Form] = LRUCache(
            CACHE_CHARACTERS, lambda form: len(form.source)
        )
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

    def _form(self, answer: TextAnswer | OneOf) -> Form:
        with self._lock:
            if (known := self._known.get(answer)) is not None:
                return known
        form = one_of(answer) if isinstance(answer, OneOf) else described(answer)
        _check_size(form.source, answer.path)
        constraint = Constraint(form.kind, form.source)
        (fault,) = self._engine.check([constraint], patient=False)
        if fault == TOO_COSTLY:
            (fault,) = self._engine.check([constraint], patient=True)
        if fault is not None:
            raise RequestError(f"It cannot be enforced: {fault}", param=answer.path)
        return self._remembered(answer, form)

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
    return Form("lark", lark(answer.source, answer.path))


def lark(source: str, path: str) -> str:
    """The grammar `source`, in GBNF or Lark, in Lark; RequestError as `described` says."""
    if not is_lark_syntax(source):
        try:
            source = gbnf_to_lark(source)
        except RecursionError as error:
            raise RequestError("The grammar is nested too deep.", param=path) from error
        except Exception as error:  # it raises plain ones, and more where a text just ends
            reason = str(error) or "it ends too early"
            raise RequestError(f"The grammar cannot be read: {reason}", param=path) from error
    if any(found[1] for found in _LARK.finditer(source)):
        raise RequestError(
            "The grammar names control tokens (<...>), which no answer has; describe texts.",
            param=path,
        )
    return source


def _check_size(source: str, path: str) -> None:
    if not source:
        raise RequestError("It is empty; leave it out, or describe a text.", param=path)
    if len(source) > MAX_CHARACTERS:
        raise RequestError(
            f"It has {len(source)} characters; at most {MAX_CHARACTERS} are taken.", param=path
        )
    if "\0" in source:
        raise RequestError("It has a null character, which no engine takes.", param=path)

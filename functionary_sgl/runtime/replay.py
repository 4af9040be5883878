"""A program without an engine: what it asks, given what it was answered."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

from greenlet import greenlet

from functionary_sgl.runtime.events import Variable
from functionary_sgl.runtime.prompt import Prompt
from functionary_sgl.runtime.state import State, Tokens
from functionary_sgl.runtime.value_ends import lead
from functionary_sgl.tokenizer import Tokenizer


class Answer(NamedTuple):
    """What a program gets for a question: a text and, of a `gen`, the stop string that ended it."""

    text: str
    matched: str | None = None


class Step(NamedTuple):
    """What a program asks for, None if it is over, or looks ahead; the text that it has written
    since its last answer, and its variables so far."""

    pending: str
    expression: Any
    variables: Mapping[str, str] = MappingProxyType({})


def replayed(program: Any, prompt: Prompt, offer: object, answers: Sequence[Answer] = ()) -> Step:
    """What `program` does when it has got these answers."""
    tokens = Tokens(lambda text: [])
    state = State(tokens)
    running = greenlet(program.func)
    left = iter(answers)
    try:
        asked = running.switch(state, prompt, offer)
        while not running.dead and asked[0] is state:
            answer = next(left, None)
            if answer is None:
                return Step(tokens.pending, asked[1], state.variables)
            tokens.pending = ""
            finish = {"type": "stop", "matched": answer.matched}
            state.store(asked[1].name, answer.text, finish)
            asked = running.switch()
        return Step(tokens.pending, None, state.variables)
    finally:
        if not running.dead:
            running.throw()


def opening(program: Any, prompt: Prompt, offer: object) -> str:
    """What `program` writes after the prompt before it first asks the model."""
    return replayed(program, prompt, offer).pending


def read(program: Any, prompt: Prompt, offer: object, tokenizer: Tokenizer) -> str:
    """The same without the spaces at its end that the model writes itself, with the value that it
    is asked for."""
    step = replayed(program, prompt, offer)
    if step.expression is None or hasattr(step.expression, "choices"):
        return step.pending
    role = Variable.parse(step.expression.name).role
    if role != "arguments" and step.expression.sampling_params.json_schema is None:
        return step.pending
    held = lead(tokenizer, step.pending, string=role in ("code", "input"))
    return step.pending.removesuffix(held)

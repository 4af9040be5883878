"""What a running program sees as its `s`.

The part of SGLang's ProgramState that turns need (`+=`, variables, meta information), so that one
and the same program runs here and on SGLang's own interpreter. Nothing here waits: at a `gen` or
a `select` the program, which is a greenlet, hands the expression to the event loop and sleeps.
"""

from collections.abc import Callable
from typing import Any

from greenlet import getcurrent, greenlet

from functionary_sgl.runtime.events import Addressed, Delta, Variable
from functionary_sgl.runtime.prompt import Prompt


class Tokens:
    """The turn so far: ids, and text that waits to be tokenized together with what follows it.

    Ids that came back from the engine are never tokenized again. Text that the program wrote is
    tokenized as late as possible, so that its pieces join as they did in training.
    """

    def __init__(self, encode: Callable[[str], list[int]]) -> None:
        self.ids: list[int] = []
        self.pending = ""
        self.encode = encode

    def copy(self) -> "Tokens":
        """The same, to be changed by itself."""
        tokens = Tokens(self.encode)
        tokens.ids, tokens.pending = list(self.ids), self.pending
        return tokens

    def flush(self) -> list[int]:
        """Tokenize what is pending; all ids."""
        if self.pending:
            self.ids += self.encode(self.pending)
            self.pending = ""
        return self.ids


class State:
    """`s` of a program that runs in a greenlet whose parent understands the expressions.

    `variables` are the program's so far, `announced` what it said since it last asked: the name of
    a variable that it set, and the event that this is.
    """

    def __init__(self, tokens: Tokens) -> None:
        self.tokens = tokens
        self.variables: dict[str, str] = {}
        self._meta: dict[str, dict[str, Any]] = {}
        self.announced: list[tuple[str, Addressed | Delta]] = []

    def __iadd__(self, expression: Any) -> "State":
        if isinstance(expression, Prompt):
            self.tokens.ids += expression.token_ids
        elif isinstance(expression, str):
            self.tokens.pending += expression
        else:
            _parent().switch((self, expression))
        return self

    def fork(self, count: int) -> list["State"]:
        """Copies in which the program can ask without consequences for this one."""
        return [State(self.tokens.copy()) for _ in range(count)]

    def __getitem__(self, name: str) -> str:
        return self.variables[name]

    def __contains__(self, name: str) -> bool:
        return name in self.variables

    def __setitem__(self, name: str, value: str) -> None:
        """`recipient_0` says who is addressed. To add to a payload (`content_0`) is to say that
        the text the program appends belongs to it."""
        role = Variable.parse(name).role
        added = value.removeprefix(self.variables.get(name, ""))
        event = Addressed(value) if role == "recipient" else Delta(role, added)
        self.announced.append((name, event))
        self.variables[name] = value

    def get_meta_info(self, name: str) -> dict[str, Any]:
        """`finish_reason` of a `gen`, as SGLang gives it: `type`, and `matched` for `stop`."""
        return self._meta[name]

    def store(self, name: str, value: str, finish_reason: dict[str, Any] | None = None) -> None:
        """The result of an expression; for the interpreter."""
        self.variables[name] = value
        self._meta[name] = {"finish_reason": finish_reason}


def _parent() -> greenlet:
    parent = getcurrent().parent
    if parent is None:
        raise RuntimeError("a turn program runs on functionary_sgl.runtime.interpreter.run")
    return parent

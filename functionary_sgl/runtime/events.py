"""What a running turn tells: a few kinds of events, in the order in which things happen."""

from dataclasses import dataclass, field
from typing import Literal, NamedTuple


class Variable(NamedTuple):
    """A variable of a program, named by role and place: `arguments_0` is ("arguments", 0)."""

    role: str
    place: int

    @classmethod
    def parse(cls, name: str) -> "Variable":
        role, _, place = name.rpartition("_")
        return cls(role, int(place))


@dataclass(frozen=True, slots=True)
class Addressed:
    """What follows is for `recipient`."""

    recipient: str


@dataclass(frozen=True, slots=True)
class Opened:
    """A payload begins; `role` is `content`, `arguments`, `code`, `input` or `reasoning`, or `id`
    where the model makes up the id of its call. Arguments, code and the input of a custom tool have
    the `call_id` of their call."""

    role: str
    call_id: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Delta:
    """More text of the payload that is open. Never empty; no leading or trailing white space of
    the whole payload is among its deltas."""

    role: str
    text: str


@dataclass(frozen=True, slots=True)
class Token:
    """A token that the model drew, its bytes (UTF-8, maybe a part of a character), its
    log-probability, and the likeliest alternatives as tokens without alternatives."""

    bytes: bytes
    logprob: float
    top: tuple["Token", ...] = ()


@dataclass(frozen=True, slots=True)
class Drawn:
    """Tokens of the payload that is open, where log-probabilities were asked for. Their text comes
    with the deltas after this; what ends a payload is not among them."""

    tokens: tuple[Token, ...]


@dataclass(frozen=True, slots=True)
class Usage:
    """Token counts. `completion_tokens` counts every id of the turn, those that the program wrote
    included, `reasoning_tokens` those of them that the model reasoned with; `cached_tokens` are ids
    of the prompt found in the engine's prefix cache."""

    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int
    reasoning_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Ended:
    """The turn is over: the model ended it (`stop`) or the budget did (`length`); `stop`: the stop
    string of the client's that did, if one did.

    `token_ids` are the prompt and the turn as the engine holds them in its cache. `spelled`: what
    the model drew for payloads is what was told, and nothing that a text cannot say.
    """

    reason: Literal["stop", "length"]
    usage: Usage
    token_ids: tuple[int, ...]
    spelled: bool = True
    stop: str | None = None


Event = Addressed | Opened | Drawn | Delta | Ended

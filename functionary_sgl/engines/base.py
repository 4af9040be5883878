"""What an engine is to the rest of the package."""

from collections.abc import AsyncGenerator, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

from prometheus_client import Metric

from functionary_sgl.errors import EngineDied, EngineError
from functionary_sgl.grammars.parameters import Places

EVER = 2**31 - 1
"""As `min_tokens`: text ends with the budget only."""

LEAST_TOP_P = 1e-6
"""With less, 0 included, which SGLang does not take, the likeliest token is left as with this."""


@dataclass(frozen=True, slots=True)
class Sampling:
    """How tokens are drawn; the fields have OpenAI's meaning and bounds (top_k, min_p: SGLang's).

    `stop` and `stop_token_ids` are the client's own; they end text, never a call, and `keeps_stop`
    says whether the stop string is told. Text does not end by itself before `min_tokens`. With a
    `seed`, what is drawn at a position depends on it, the position and the distribution alone.
    """

    temperature: float = 1.0
    top_p: float = 1.0
    top_k: int = -1
    min_p: float = 0.0
    presence_penalty: float = 0.0
    frequency_penalty: float = 0.0
    repetition_penalty: float = 1.0
    seed: int | None = None
    logit_bias: Mapping[int, float] = field(default_factory=dict)
    stop: tuple[str, ...] = ()
    stop_token_ids: tuple[int, ...] = ()
    keeps_stop: bool = False
    min_tokens: int = 0

    @property
    def bent(self) -> dict[str, Any]:
        """The penalties and biases that are set, by name: by them the model writes what it else
        would not."""
        names = ("logit_bias", "presence_penalty", "frequency_penalty", "repetition_penalty")
        values = {name: getattr(self, name) for name in names}
        return {name: value for name, value in values.items() if value != getattr(_PLAIN, name)}


_PLAIN = Sampling()


@dataclass(frozen=True, slots=True)
class Constraint:
    """The text that is generated must match `source`: a JSON Schema (as text), a regular expression
    of Rust's, or a grammar in llguidance's dialect of Lark.

    `lead` is written before it: a space that the text before ends with, left to the engine because
    in the tokenization that models are trained on it belongs to the token that follows. One of
    `tails` may follow: what the value's last token then reaches into; the text is cut there.
    `marks`: an object by a JSON Schema is written as parameters, between these.
    """

    kind: Literal["json_schema", "regex", "lark"]
    source: str
    lead: str = ""
    tails: tuple[str, ...] = ()
    marks: Places | None = None


@dataclass(frozen=True, slots=True)
class TurnContext:
    """The turn that a request belongs to. `prompt_length` counts the ids of its prompt,
    `last_input` is the text of the last user or tool message; real engines need neither. `images`
    are URLs of what the prompt's image tokens stand for, in their order. `adapter` is the key of
    the LoRA adapter that answers; None: the model as it is. Turns share what is computed for equal
    prompts only with those of the same `cache_salt`."""

    turn_id: str
    prompt_length: int
    last_input: str = ""
    images: tuple[str, ...] = ()
    adapter: str | None = None
    cache_salt: str = ""


@dataclass(frozen=True, slots=True)
class Request:
    """One generation. `token_ids` is everything before it; `stop` strings and `stop_token_ids`
    end it, and no other control tokens are drawn; at most `max_tokens` ids come back. None of
    `stop_token_ids` is drawn before `min_tokens`.
    `control_ids`: other control tokens, which the constraint names, or the form that is asked for.
    `top_logprobs`: None for no log-probabilities, else how many alternatives per token."""

    token_ids: Sequence[int]
    max_tokens: int
    turn: TurnContext
    min_tokens: int = 0
    sampling: Sampling = field(default_factory=Sampling)
    constraint: Constraint | None = None
    stop: tuple[str, ...] = ()
    stop_token_ids: tuple[int, ...] = ()
    control_ids: tuple[int, ...] = ()
    top_logprobs: int | None = None


@dataclass(frozen=True, slots=True)
class Logprob:
    """A token's log-probability, and the likeliest alternatives as (id, log-probability)."""

    logprob: float
    top: tuple[tuple[int, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Chunk:
    """The next ids of a generation; `finish_reason` is set on the last chunk only.

    stop: the model ended its turn, a stop string is complete, or the constraint is satisfied. The
    id that ends the turn, if there is one, is the last; the ids of a stop string are among them.
    length: `max_tokens` are used up. cached_tokens: ids of the request found in the prefix cache.
    image_tokens: ids that its images take beyond the one for each in the request.
    """

    token_ids: Sequence[int]
    finish_reason: Literal["stop", "length"] | None = None
    cached_tokens: int = 0
    image_tokens: int = 0
    logprobs: Sequence[Logprob] = ()


@dataclass(frozen=True, slots=True)
class Scores:
    """Log-probabilities of the candidates, in their order; the rest as in Chunk."""

    logprobs: Sequence[float]
    cached_tokens: int = 0
    image_tokens: int = 0


TOO_COSTLY = "it takes too much to prepare"
"""Why an engine does not enforce a constraint that it perhaps could: its time or memory was up."""


class Answering(Protocol):
    """What answers the questions of a turn. Both raise EngineError (EngineDied when the engine is
    gone for good)."""

    def generate(self, request: Request) -> AsyncGenerator[Chunk, None]:
        """Run one generation. Closing the generator stops it in the engine at once."""

    async def score(
        self, token_ids: Sequence[int], candidates: Sequence[int], turn: TurnContext
    ) -> Scores:
        """The log-probability of each candidate as the next id after `token_ids`."""


class Engine(Answering, Protocol):
    """All methods raise EngineError, as those of Answering do."""

    context_length: int
    """Most ids of a prompt and its output together."""

    image_hosts: Collection[str]
    """From where images may be fetched for it."""

    most_running: int | None
    """How many turns it can work on at once, by its settings and memory; None: any number."""

    most_waiting: int | None
    """How many turns its settings let wait; None: they do not say."""

    takes_turns: bool
    """Whether a grammar of a whole turn, with ids in it, is followed as its questions would be."""

    async def ready(self, stop: Callable[[], None]) -> None:
        """Wait until requests can come, in the event loop from which they will. `stop` is called
        if the engine is what hears that the process shall end."""

    def check(self, constraints: Sequence[Constraint], patient: bool) -> Sequence[str | None]:
        """For each of `constraints`, None or why the engine cannot enforce it. The reason depends
        on the constraint alone, unless it is TOO_COSTLY, which it and all behind it have when it
        cannot be told. Takes a bounded time, but blocks; `patient`: takes long if need be, and
        others that are not patient do not wait for it. Raises EngineError if it is out of order.
        """

    def blind_to(self, images: Sequence[str]) -> Sequence[str | None]:
        """For each of `images`, by URL, None or why the model cannot be shown it. May block."""

    async def load_adapter(self, key: str, name: str, directory: Path) -> None:
        """Load the LoRA adapter in `directory`; turns name it by `key`, errors by `name`. Raises
        RequestError, and is as before, for one that it cannot answer with."""

    async def unload_adapter(self, key: str, name: str) -> None:
        """Free what the adapter `key` takes, none of whose turns runs. Its key will not come
        again."""

    def trouble(self) -> EngineError | None:
        """Why what came now would fail, as far as that is known; it may pass."""

    def metrics(self) -> Iterable[Metric]:
        """How much it has to do, and what it counts if it was told to, in Prometheus' terms. May
        block."""

    def give_up(self, error: EngineError) -> None:
        """End every generation with `error`, those that run and those that come."""

    async def died(self) -> EngineDied:
        """Wait for as long as the engine lives; then the reason why it does not."""

    async def close(self) -> None:
        """Stop the engine and free what it holds."""

"""A turn that was found to be what the model can do, and what it is checked for."""

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from functionary_sgl.adapters import Adapter
from functionary_sgl.chat.conversation import Conversation
from functionary_sgl.chat.schema import Arguments
from functionary_sgl.engines.base import EVER, Sampling
from functionary_sgl.errors import ContextLengthExceeded, RequestError
from functionary_sgl.runtime.turn import Turn
from functionary_sgl.turns import Offer


@dataclass(frozen=True, slots=True)
class CheckedTurn(Turn):
    """A turn with what is known of its functions' arguments, by name.

    unenforced: pointers to the keywords that may be broken, in the request: the path of a tool's
    parameters, and from there on a JSON pointer.
    salt: with which the turn will be remembered.
    answerer: the adapter that `adapter` is the engine's name of.
    taken: how many ids there are before the model's own first, what images take left out.
    """

    offer: Offer
    arguments: Mapping[str, Arguments] = field(default_factory=dict)
    unenforced: tuple[str, ...] = ()
    salt: str = ""
    answerer: Adapter | None = None
    taken: int = 0

    def numbered(self, index: int) -> "CheckedTurn":
        """The turn of choice `index`: with a seed, another one for each choice."""
        seed = self.sampling.seed
        if seed is None or index == 0:
            return self
        return replace(self, sampling=replace(self.sampling, seed=seed + index))


def check_ids(sampling: Sampling, size: int) -> None:
    """`check_known` for the ids that say how tokens are drawn."""
    for param in ("logit_bias", "stop_token_ids"):
        check_known(getattr(sampling, param), size, param)


def check_known(ids: Iterable[int], size: int, param: str) -> None:
    """RequestError for an id that a model of so many ids does not have, for it would take the
    engine down; the request has it in `param`."""
    for token_id in ids:
        if not 0 <= token_id < size:
            raise RequestError(
                f"This model has no token {token_id}; its ids are 0 to {size - 1}.", param=param
            )


def check_least(sampling: Sampling, offer: Offer) -> None:
    """RequestError where a turn may end, or have to end, otherwise than as text does."""
    if sampling.min_tokens and (offer.names or offer.answer is not None or offer.reasoning):
        param = "ignore_eos" if sampling.min_tokens == EVER else "min_tokens"
        raise RequestError(
            f"'{param}' can be honoured for plain text only: leave it out, or the tools and the "
            "form of the answer, and set 'reasoning_effort' to 'none' for a model that reasons.",
            param=param,
        )


@contextmanager
def within_context(limit: int, param: str) -> Iterator[None]:
    """Raises `too_long` where what is made of `param` is found to be that while it is made."""
    try:
        yield
    except OverflowError as error:
        raise too_long(limit, f"more than {limit}", param) from error


def check_fits(tokens: int, limit: int, param: str) -> None:
    """Raises `too_long` for more tokens than `limit`."""
    if tokens > limit:
        raise too_long(limit, str(tokens), param)


def too_long(limit: int, taken: str, param: str) -> ContextLengthExceeded:
    """What has no place in a context of `limit` tokens, of which it would have `taken`; the request
    has it in `param`."""
    return ContextLengthExceeded(
        f"This model's maximum context length is {limit} tokens. However, the messages and tools "
        f"take {taken}, and an answer needs one at least. Shorten them.",
        param=param,
    )


def salt_of(sampling: Sampling, adapter: str | None, cache_salt: str) -> str:
    """What keeps apart what is remembered of turns: whose they are, who answers, and by what the
    client made the model write what it else would not. Empty where there is nothing of these."""
    parts = [cache_salt, adapter, sampling.bent]
    return json.dumps(parts, sort_keys=True) if any(parts) else ""


def unenforced(conversation: Conversation, arguments: Mapping[str, Arguments]) -> Iterator[str]:
    """Where the request's tools have keywords that are not enforced."""
    for tool in conversation.callable_functions():
        yield from (tool.parameters_path + p for p in arguments[tool.name].unenforced)

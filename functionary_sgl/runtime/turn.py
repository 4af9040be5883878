"""What is run: a turn program, the prompt that it answers, and how tokens are drawn."""

from dataclasses import dataclass
from typing import Any

from functionary_sgl.engines.base import Sampling
from functionary_sgl.runtime.prompt import Prompt


@dataclass(frozen=True, slots=True)
class Turn:
    """A turn to run: an SGLang function of (prompt, offer), and how to draw its tokens.

    max_tokens: the budget that all generations of the turn share.
    stop_token_ids: the ids that end a turn.
    last_input: the text of the last user or tool message.
    images: the URLs of the prompt's images, in their order.
    trims_text: whether white space at the ends of text for the user is left out.
    continues: whether the text goes on from what the prompt ends with.
    top_logprobs: how many alternatives to tell of each token; None for no log-probabilities.
    adapter: the engine's name of the LoRA adapter that answers; None: the model as it is.
    cache_salt: turns share a prefix cache only with those that have the same.
    call_prefix: with which the ids of its calls begin, unless the model makes them up.
    """

    program: Any
    prompt: Prompt
    offer: object
    sampling: Sampling
    max_tokens: int
    stop_token_ids: tuple[int, ...]
    last_input: str = ""
    images: tuple[str, ...] = ()
    trims_text: bool = True
    continues: bool = False
    top_logprobs: int | None = None
    adapter: str | None = None
    cache_salt: str = ""
    call_prefix: str = "call_"

"""What goes on from a text, in no format at all: the prompt is whatever a client says."""

from typing import Any

from functionary_sgl.runtime.prompt import Prompt
from functionary_sgl.turns.offer import Offer
from functionary_sgl.turns.vocabulary import function, gen


@function  # type: ignore[untyped-decorator]
def completion(s: Any, prompt: Prompt, offer: Offer) -> None:
    """Text, until the model ends it."""
    s += prompt
    s += gen("content_0")

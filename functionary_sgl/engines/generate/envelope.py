"""How a request travels to an engine that `functionary-sgl engine` serves.

Routers read requests to SGLang into a form of their own and pass on what they know: sglang-router
0.3.2 drops `cache_salt`, and of `sampling_params` the biases and what this package has for its
scheduler. One field comes through all of them as it is, since its content is anybody's:
`session_params`, which SGLang has for something else. So all that goes with the ids is in there,
under a name of its own; the ids themselves are where routers look for prefixes.
"""

from collections.abc import Mapping, Sequence
from typing import Any

NAME = "functionary"

ABOUT = "about"
"""Asks what the engine is; nothing is generated."""

STAMP = "functionary"
"""In `meta_info`: `About.stamp` of the engine that answered, or, where it was asked, all of
`About`. Who finds none talks to a server that has ignored all that was in the envelope."""

VERSION = 1
"""Of this form."""

FIELDS = frozenset(
    {
        *("sampling_params", "return_logprob", "top_logprobs_num", "token_ids_logprob"),
        *("lora_path", "cache_salt", "image_data", "modalities"),
    }
)
"""What may be in it."""


def wrapped(rid: str, token_ids: Sequence[int], fields: Mapping[str, Any]) -> dict[str, Any]:
    """The body of a request with these `fields`, by which it is known as `rid`."""
    return {
        "rid": rid,
        "input_ids": list(token_ids),
        "stream": True,
        "session_params": {NAME: dict(fields)},
    }


def asking() -> dict[str, Any]:
    """The body of a request for what the engine is."""
    return {"input_ids": [0], "stream": False, "session_params": {NAME: {ABOUT: True}}}


def unwrapped(session_params: Any) -> dict[str, Any] | None:
    """What was in the envelope; None where there is none."""
    if not isinstance(session_params, dict) or NAME not in session_params:
        return None
    content = session_params[NAME]
    if not isinstance(content, dict) or not content.keys() <= FIELDS | {ABOUT}:
        raise ValueError("This engine and the server in front of it are of different versions.")
    return content

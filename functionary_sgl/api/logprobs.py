"""Tokens that the model drew, as entries of OpenAI's `logprobs`."""

from typing import Any

from functionary_sgl.runtime.events import Token

LEAST = -9999.0
"""OpenAI's log-probability of what is out of the question; JSON has no minus infinity."""


def with_top(token: Token) -> dict[str, Any]:
    """`token` with its likeliest alternatives."""
    return {**_entry(token), "top_logprobs": [_entry(other) for other in token.top]}


def _entry(token: Token) -> dict[str, Any]:
    text = token.bytes.decode(errors="replace")
    return {"token": text, "bytes": list(token.bytes), "logprob": max(token.logprob, LEAST)}

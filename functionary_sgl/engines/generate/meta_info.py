"""What SGLang's `meta_info` says of a request, in our terms."""

from collections.abc import Sequence
from http import HTTPStatus
from itertools import zip_longest
from typing import Any, Literal

from functionary_sgl.engines.base import Logprob
from functionary_sgl.engines.generate.sampling import NOT_FINITE
from functionary_sgl.errors import EngineError, RequestError, ServerBusy


class NotFinite(EngineError):
    """What the model computed cannot be drawn from (`engines/sglang/scheduler/finite.py`)."""


def finish_reason(reason: dict[str, Any] | None) -> Literal["stop", "length"] | None:
    """`stop` or `length`; raises for a request that SGLang gave up."""
    if reason is None:
        return None
    if reason["type"] == "abort":
        message = str(reason.get("message", "")).strip()
        if reason.get("status_code") == HTTPStatus.BAD_REQUEST:
            raise RequestError(message)
        if reason.get("status_code") == HTTPStatus.SERVICE_UNAVAILABLE:
            raise ServerBusy(message)
        raise EngineError(f"The engine gave up the request: {message}")
    if reason.get("matched") == NOT_FINITE:
        raise NotFinite("The model's numbers overflowed; this answer cannot go on.")
    return "length" if reason["type"] == "length" else "stop"


def logprobs(meta: dict[str, Any]) -> Sequence[Logprob]:
    """Of the ids that it came with; none where they were not asked for."""
    tokens = meta.get("output_token_logprobs")
    if not tokens:
        return ()
    tops = meta.get("output_top_logprobs") or []
    return [
        Logprob(
            token[0],
            tuple((entry[1], entry[0]) for entry in top or ()),
        )
        # SGLang tells no alternatives at all where none were asked for.
        for token, top in zip_longest(tokens, tops)
    ]


def passes(meta: dict[str, Any]) -> int:
    """How many passes of the model a request took that is over: SGLang counts those behind the
    prompt where it may verify drafts, else there is one for each token."""
    verified: int | None = meta.get("spec_verify_ct")
    tokens: int = meta.get("completion_tokens", 0)
    return max(tokens, 1) if verified is None else 1 + verified

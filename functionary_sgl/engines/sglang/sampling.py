"""What SGLang is told of how to draw a request's tokens."""

from typing import Any

from functionary_sgl.engines.base import Request, Sampling
from functionary_sgl.engines.sglang.constraints import constraint_param

# SGLang's own limit; longer lists are watched for on this side, and the request is aborted.
_MOST_STOPS = 32


def sampling_params(request: Request, context_length: int, guided: bool) -> dict[str, Any]:
    """The `sampling_params` of `request`, which may fill a context of so many ids; `guided`: by
    llguidance."""
    params = _of(request.sampling)
    params["max_new_tokens"] = min(request.max_tokens, context_length - len(request.token_ids))
    if len(request.stop) <= _MOST_STOPS:
        params["stop"] = list(request.stop)
    params["stop_token_ids"] = list(request.stop_token_ids)
    if request.constraint:
        params |= constraint_param(request.constraint, guided)
    return params


def _of(sampling: Sampling) -> dict[str, Any]:
    params: dict[str, Any] = {
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "top_k": sampling.top_k,
        "min_p": sampling.min_p,
        "presence_penalty": sampling.presence_penalty,
        "frequency_penalty": sampling.frequency_penalty,
        "repetition_penalty": sampling.repetition_penalty,
        "skip_special_tokens": False,
        "no_stop_trim": True,
    }
    if sampling.seed is not None:
        # The number of a choice is added to what the client sends; SGLang takes 64 bits.
        params["sampling_seed"] = sampling.seed % 2**63
    if sampling.logit_bias:
        params["logit_bias"] = {str(key): value for key, value in sampling.logit_bias.items()}
    return params

"""What SGLang is told of how to draw a request's tokens."""

from typing import Any

from functionary_sgl.engines.base import LEAST_TOP_P, Request, Sampling
from functionary_sgl.engines.generate.constraints import constraint_param

# SGLang's own limit.
_MOST_STOPS = 32

ASKED_IDS = "functionary_asked_ids"
"""In a request's `custom_params`: the control tokens that may be drawn
(`engines/sglang/scheduler/batch.py`)."""

NOT_FINITE = "NaN happened"
"""What SGLang says has ended a request that drew an id which the model does not have."""

LEAST_TEMPERATURE = 1e-3
LEAST_REPETITION_PENALTY = 1e-2
"""Below these nothing changes but the size of the numbers: logits are divided by them, and 32 bits
overflow. The likeliest token is drawn long before."""


def sampling_params(request: Request, context_length: int, guided: bool) -> dict[str, Any]:
    """The `sampling_params` of `request`, which may fill a context of so many ids; `guided`: by
    llguidance."""
    params = _of(request.sampling)
    params["max_new_tokens"] = min(request.max_tokens, context_length - len(request.token_ids))
    if request.min_tokens:
        params["min_new_tokens"] = min(request.min_tokens, params["max_new_tokens"])
    # Longer lists are watched for on this side, and the request is aborted; so is the text that
    # SGLang uses for itself.
    if len(request.stop) <= _MOST_STOPS and NOT_FINITE not in request.stop:
        params["stop"] = list(request.stop)
    params["stop_token_ids"] = list(request.stop_token_ids)
    params["custom_params"] = {ASKED_IDS: [*request.stop_token_ids, *request.control_ids]}
    if request.constraint:
        params |= constraint_param(request.constraint, guided)
    return params


def _of(sampling: Sampling) -> dict[str, Any]:
    params: dict[str, Any] = {
        "temperature": sampling.temperature and max(sampling.temperature, LEAST_TEMPERATURE),
        "top_p": max(sampling.top_p, LEAST_TOP_P),
        "top_k": sampling.top_k,
        "min_p": sampling.min_p,
        "presence_penalty": sampling.presence_penalty,
        "frequency_penalty": sampling.frequency_penalty,
        "repetition_penalty": max(sampling.repetition_penalty, LEAST_REPETITION_PENALTY),
        "skip_special_tokens": False,
        "no_stop_trim": True,
    }
    if sampling.seed is not None:
        # The number of a choice is added to what the client sends; SGLang takes 64 bits.
        params["sampling_seed"] = sampling.seed % 2**63
    if sampling.logit_bias:
        params["logit_bias"] = {str(key): value for key, value in sampling.logit_bias.items()}
    return params

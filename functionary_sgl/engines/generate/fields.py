"""The fields of a request to SGLang, and what its answer's fields come to."""

from collections.abc import Sequence
from typing import Any

from functionary_sgl.engines.base import Chunk, Request, Scores, TurnContext
from functionary_sgl.engines.generate.meta_info import finish_reason, logprobs
from functionary_sgl.engines.generate.outputs import Output
from functionary_sgl.engines.generate.sampling import ASKED_IDS, sampling_params


def generation(request: Request, context_length: int, guided: bool) -> dict[str, Any]:
    """The fields of `request`, but for its ids; the rest as of `sampling_params`. Takes a while
    where the grammar of a large schema has to be written."""
    fields: dict[str, Any] = {"sampling_params": sampling_params(request, context_length, guided)}
    if request.top_logprobs is not None:
        fields |= {"return_logprob": True, "top_logprobs_num": request.top_logprobs}
    return fields | _of_turn(request.turn)


def scoring(candidates: Sequence[int], turn: TurnContext) -> dict[str, Any]:
    """Those of a request for the log-probabilities of `candidates`, `turn`'s next ids."""
    return {
        "sampling_params": {
            "max_new_tokens": 1,
            "temperature": 0.0,
            "custom_params": {ASKED_IDS: list(candidates)},
        },
        "return_logprob": True,
        "token_ids_logprob": list(candidates),
    } | _of_turn(turn)


def chunk(output: Output, prompt_length: int) -> Chunk:
    """What `output` is of an answer to a prompt of so many ids. Raises as `finish_reason` does."""
    return Chunk(
        token_ids=output.ids,
        finish_reason=finish_reason(output.meta["finish_reason"]),
        cached_tokens=output.meta.get("cached_tokens", 0),
        image_tokens=output.meta["prompt_tokens"] - prompt_length,
        logprobs=logprobs(output.meta),
    )


def scores(output: Output, candidates: Sequence[int], prompt_length: int) -> Scores:
    """The same of the last output of a request that was `scoring`."""
    meta = output.meta
    finish_reason(meta["finish_reason"])
    known = {token_id: logprob for logprob, token_id, _ in meta["output_token_ids_logprobs"][0]}
    ordered = [known[candidate] for candidate in candidates]
    images = meta["prompt_tokens"] - prompt_length
    return Scores(ordered, meta.get("cached_tokens", 0), images)


def _of_turn(turn: TurnContext) -> dict[str, Any]:
    # The prefix cache keeps what adapters computed apart, by their ids, and what has a salt.
    place = {"lora_path": turn.adapter, "cache_salt": turn.cache_salt or None}
    return _images(turn.images) | {name: value for name, value in place.items() if value}


def _images(urls: Sequence[str]) -> dict[str, Any]:
    if not urls:
        return {}
    # Without this word SGLang shows a LLaVA the first of several images only.
    several = {"modalities": ["multi-images"]} if len(urls) > 1 else {}
    return {"image_data": list(urls)} | several

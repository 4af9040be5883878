"""Fields that say how tokens are drawn and where text ends, the same in all protocols."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Discriminator, Field, Tag

from functionary_sgl.api.bodies import Body
from functionary_sgl.api.limits import (
    MAX_BIASES,
    MAX_STOP_IDS,
    MAX_STOP_LENGTH,
    MAX_STOPS,
    MAX_TOKENS,
)
from functionary_sgl.engines.base import EVER, Sampling
from functionary_sgl.errors import RequestError

Bias = Annotated[float, Field(ge=-100, le=100)]
TokenId = Annotated[int, Field(ge=0, le=MAX_TOKENS)]
TokenLimit = Annotated[int, Field(ge=1)]
StopText = Annotated[str, Field(max_length=MAX_STOP_LENGTH)]


def text_or_list(value: Any) -> str:
    """The tag of `value` in a union of `~text` and `~list`."""
    return "~list" if isinstance(value, list) else "~text"


Stop = Annotated[
    Annotated[StopText, Tag("~text")]
    | Annotated[list[StopText], Field(max_length=MAX_STOPS), Tag("~list")],
    Discriminator(text_or_list),
]


class SamplingFields(Body):
    """OpenAI's, vLLM's and SGLang's."""

    stop: Stop | None = None
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    top_p: Annotated[float, Field(ge=0, le=1)] | None = None
    top_k: Annotated[int, Field(ge=-1, le=MAX_TOKENS)] | None = None
    min_p: Annotated[float, Field(ge=0, le=1)] | None = None
    presence_penalty: Annotated[float, Field(ge=-2, le=2)] | None = None
    frequency_penalty: Annotated[float, Field(ge=-2, le=2)] | None = None
    repetition_penalty: Annotated[float, Field(gt=0, le=2)] | None = None
    seed: Annotated[int, Field(ge=-(2**63), le=2**63 - 1)] | None = None
    logit_bias: Annotated[dict[int, Bias], Field(max_length=MAX_BIASES)] | None = None
    min_tokens: Annotated[int, Field(ge=0, le=MAX_TOKENS)] | None = None
    ignore_eos: bool | None = None
    stop_token_ids: Annotated[list[TokenId], Field(max_length=MAX_STOP_IDS)] | None = None
    include_stop_str_in_output: bool | None = None
    no_stop_trim: bool | None = None


def sampling(request: SamplingFields, defaults: Mapping[str, Any]) -> Sampling:
    """How tokens are drawn: as the request says, else as the checkpoint does."""

    def value(name: str, fallback: Any) -> Any:
        asked = getattr(request, name)
        return defaults.get(name, fallback) if asked is None else asked

    stop = [request.stop] if isinstance(request.stop, str) else request.stop or []
    return Sampling(
        temperature=value("temperature", 1.0),
        top_p=value("top_p", 1.0),
        top_k=value("top_k", -1) or -1,
        min_p=value("min_p", 0.0),
        presence_penalty=request.presence_penalty or 0.0,
        frequency_penalty=request.frequency_penalty or 0.0,
        repetition_penalty=value("repetition_penalty", 1.0),
        seed=request.seed,
        logit_bias=request.logit_bias or {},
        stop=tuple(text for text in stop if text),
        stop_token_ids=tuple(request.stop_token_ids or ()),
        keeps_stop=bool(request.include_stop_str_in_output or request.no_stop_trim),
        min_tokens=EVER if request.ignore_eos else request.min_tokens or 0,
    )


def check_least(request: SamplingFields, most: int | None) -> None:
    """RequestError where an answer of at most `most` tokens is to have more."""
    if request.min_tokens and most is not None and request.min_tokens > most:
        raise RequestError(
            f"'min_tokens' ({request.min_tokens}) is more than the answer may have ({most}).",
            param="min_tokens",
        )

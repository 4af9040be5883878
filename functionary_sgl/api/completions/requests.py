"""The body of POST /v1/completions, as OpenAI's API reference describes it."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import Discriminator, Field, Tag

from functionary_sgl.api import refusals
from functionary_sgl.api.chunk_streams import StreamOptions
from functionary_sgl.api.limits import MAX_CHOICES, MAX_SALT_LENGTH
from functionary_sgl.api.refusals import REFUSED as SHARED
from functionary_sgl.api.refusals import Refused
from functionary_sgl.api.sampling import SamplingFields, TokenId, TokenLimit, check_least
from functionary_sgl.errors import RequestError

DEFAULT_TOKENS = 16
"""Of a text, where the request does not say how many; as OpenAI has it."""


def _prompt_tag(value: Any) -> str:
    if not isinstance(value, list):
        return "~text"
    if value and isinstance(value[0], list):
        return "~lists_of_ids"
    return "~ids" if value and isinstance(value[0], int) else "~texts"


Ids = list[TokenId]
Prompt = Annotated[
    Annotated[str, Tag("~text")]
    | Annotated[list[str], Field(min_length=1, max_length=MAX_CHOICES), Tag("~texts")]
    | Annotated[Ids, Tag("~ids")]
    | Annotated[list[Ids], Field(max_length=MAX_CHOICES), Tag("~lists_of_ids")],
    Discriminator(_prompt_tag),
]


class CompletionRequest(SamplingFields):
    """A text to go on from, or several, or the ids of one, or of several. `user` means nothing
    here. `model` may be left out where there is one."""

    model: str | None = None
    prompt: Prompt
    max_tokens: TokenLimit | None = None
    n: Annotated[int, Field(ge=1, le=MAX_CHOICES)] | None = None
    echo: bool | None = None
    logprobs: Annotated[int, Field(ge=0, le=20)] | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    cache_salt: Annotated[str, Field(min_length=1, max_length=MAX_SALT_LENGTH)] | None = None
    user: str | None = None

    def prompts(self) -> list[tuple[str | Sequence[int], str]]:
        """Each prompt, and where the request has it."""
        if isinstance(self.prompt, str):
            return [(self.prompt, "prompt")]
        several: Sequence[Any] = self.prompt
        if isinstance(several[0], int):
            return [(several, "prompt")]
        return [(each, f"prompt[{index}]") for index, each in enumerate(several)]


_CHAT = "send it with 'messages' to /v1/chat/completions"
_LOGPROBS = "'logprobs' tells those of the answer"

REFUSED: Mapping[str, Refused] = {
    **SHARED,
    **refusals.forms(_CHAT),
    "suffix": Refused(
        ("",), "the models here write what follows a text, not what is missing in it"
    ),
    "best_of": Refused((1,), "use 'n' and choose among the answers"),
    "add_special_tokens": Refused((True,), "send the ids of the prompt"),
    "messages": Refused((), "send them to /v1/chat/completions"),
    "tools": Refused(([],), _CHAT),
    "max_completion_tokens": Refused((), "use 'max_tokens'"),
    "prompt_logprobs": Refused((False,), _LOGPROBS),
    "prompt_embeds": Refused((), "send 'prompt'"),
    "return_tokens_as_token_ids": Refused((False,), _LOGPROBS),
    "return_token_ids": Refused((False,), _LOGPROBS),
    "n_predict": Refused((-1,), "use 'max_tokens'"),
    "n_probs": Refused((0,), "use 'logprobs'"),
}


def check(request: CompletionRequest) -> None:
    """RequestError for fields that cannot be honoured, or do not go together; a debug log of those
    that are unknown."""
    refusals.check(request, REFUSED)
    refusals.note_unknown(request)
    check_least(request, request.max_tokens or DEFAULT_TOKENS)
    if request.echo and request.logprobs is not None:
        raise RequestError(
            "'echo' cannot be honoured with 'logprobs': those of a prompt are not computed here; "
            "leave out one of them.",
            param="echo",
        )
    turns = len(request.prompts()) * (request.n or 1)
    if turns > MAX_CHOICES:
        raise RequestError(
            f"{turns} answers are too many; a request has at most {MAX_CHOICES}, 'n' for each "
            "prompt.",
            param="prompt",
        )

"""Fields that are known and cannot be honoured: they are refused by name, unless they say what is
the case anyway. None is dropped. Fields that nobody publishes are the client's own affair.

Sources: vLLM's `ChatCompletionRequest` and `ResponsesRequest`, SGLang's `protocol.py`, the README
of llama.cpp's server, OpenAI's API reference.
"""

import logging
from collections.abc import Mapping
from typing import Any, NamedTuple

from functionary_sgl.api.bodies import Body
from functionary_sgl.errors import RequestError

logger = logging.getLogger(__name__)


class Refused(NamedTuple):
    """A field that cannot be honoured: values that ask for nothing, besides null, and what to do
    about others."""

    harmless: tuple[Any, ...]
    advice: str


def check(request: Body, refused: Mapping[str, Refused]) -> None:
    """RequestError, naming it, for a field of `request` that is among those `refused`."""
    given = request.model_extra or {}
    for name, (harmless, advice) in refused.items():
        value = given.get(name)
        if value is not None and not any(_same(value, known) for known in harmless):
            raise refusal(name, advice)


def refusal(param: str, advice: str) -> RequestError:
    """That `param` cannot be honoured, and what to do instead."""
    return RequestError(f"'{param}' cannot be honoured here: {advice}.", param=param)


def note_unknown(request: Body) -> None:
    """A debug log of the fields of `request` that nobody publishes."""
    if request.model_extra:
        logger.debug("fields without a meaning here: %s", ", ".join(sorted(request.model_extra)))


def _same(value: Any, known: Any) -> bool:
    """Equal as JSON: true is no number."""
    return bool(value == known) and isinstance(value, bool) == isinstance(known, bool)


_FORMS: Mapping[str, tuple[Any, ...]] = {
    "response_format": ({"type": "text"},),
    "structured_outputs": ({},),
    **dict.fromkeys(("guided_json", "guided_regex", "guided_choice", "guided_grammar"), ()),
    **dict.fromkeys(("json_schema", "regex", "ebnf", "grammar", "structural_tag", "format"), ()),
}


def forms(advice: str) -> dict[str, Refused]:
    """All fields of other servers that say what form an answer shall have, refused with this
    `advice`."""
    return {name: Refused(harmless, advice) for name, harmless in _FORMS.items()}


LEAVE_OUT = "leave it out"
DRAWN = "leave it out, or use 'logit_bias'"
TEXT_ONLY = "this server answers in text only; leave it out"

REFUSED: Mapping[str, Refused] = {
    # vLLM
    "guided_whitespace_pattern": Refused((), "white space in JSON is fixed here; leave it out"),
    "echo": Refused((False,), "put the last message before the answer yourself"),
    "add_special_tokens": Refused((False,), "the model's template writes them; leave it out"),
    "chat_template": Refused((), "the server's --template decides; leave it out"),
    "documents": Refused(([],), "put them into the messages"),
    "use_beam_search": Refused((False,), LEAVE_OUT),
    "length_penalty": Refused((1,), LEAVE_OUT),
    "early_stopping": Refused((False,), LEAVE_OUT),
    "skip_special_tokens": Refused((True,), "control tokens are no text here; leave it out"),
    "spaces_between_special_tokens": Refused((True,), LEAVE_OUT),
    "truncate_prompt_tokens": Refused((), "shorten the messages"),
    "allowed_token_ids": Refused((), DRAWN),
    "bad_words": Refused(([],), DRAWN),
    "logits_processors": Refused(([],), DRAWN),
    # SGLang
    "stop_regex": Refused(([], ""), "use 'stop'"),
    "separate_reasoning": Refused((True,), "reasoning is always told apart; leave it out"),
    "stream_reasoning": Refused((True,), "reasoning is streamed as it comes; leave it out"),
    "custom_logit_processor": Refused((), DRAWN),
    "lora_path": Refused((), "name the adapter as 'model'"),
    "return_hidden_states": Refused((False,), LEAVE_OUT),
    "return_prompt_token_ids": Refused((False,), LEAVE_OUT),
    "return_meta_info": Refused((False,), LEAVE_OUT),
    "return_routed_experts": Refused((False,), LEAVE_OUT),
    "watermark": Refused(({},), LEAVE_OUT),
    "task": Refused((), LEAVE_OUT),
    # llama.cpp
    "grammar_lazy": Refused((False,), "a grammar holds from the first character on; leave it out"),
    "repeat_penalty": Refused((1,), "use 'repetition_penalty'"),
}
"""In all protocols. Not here are hints that promise nothing: `prediction`, `prompt_cache_key`,
`safety_identifier`, `guided_decoding_backend` and what else nobody can tell from an answer."""

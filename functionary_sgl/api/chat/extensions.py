"""Fields of vLLM, SGLang, llama.cpp and others that promise a form of the answer.

Those that can be kept are fields of a request; the others are refused by name, unless they say what
is the case anyway. None is dropped. Fields that nobody publishes are the client's own affair.

Sources: vLLM's `ChatCompletionRequest` and "Structured Outputs", SGLang's `protocol.py`, the README
of llama.cpp's server, OpenAI's API reference.
"""

from collections.abc import Mapping
from typing import Annotated, Any, NamedTuple

from pydantic import Field

from functionary_sgl.api.bodies import Body
from functionary_sgl.api.limits import MAX_CHOICE_TEXTS, MAX_STOP_IDS, MAX_TOKENS

TokenId = Annotated[int, Field(ge=0, le=MAX_TOKENS)]


class Extensions(Body):
    """Fields of other servers that are honoured here."""

    guided_json: Any = None
    guided_regex: str | None = None
    guided_choice: Annotated[list[str], Field(max_length=MAX_CHOICE_TEXTS)] | None = None
    guided_grammar: str | None = None
    structured_outputs: dict[str, Any] | None = None
    json_schema: Any = None
    regex: str | None = None
    ebnf: str | None = None
    grammar: str | None = None
    continue_final_message: bool | None = None
    add_generation_prompt: bool | None = None
    min_tokens: Annotated[int, Field(ge=0, le=MAX_TOKENS)] | None = None
    ignore_eos: bool | None = None
    stop_token_ids: Annotated[list[TokenId], Field(max_length=MAX_STOP_IDS)] | None = None
    include_stop_str_in_output: bool | None = None
    no_stop_trim: bool | None = None


class Refused(NamedTuple):
    """A field that cannot be honoured: values that ask for nothing, besides null, and what to do
    about others."""

    harmless: tuple[Any, ...]
    advice: str


_LEAVE_OUT = "leave it out"
_DRAWN = "leave it out, or use 'logit_bias'"
_TEXT_ONLY = "this server answers in text only; leave it out"

REFUSED: Mapping[str, Refused] = {
    # OpenAI
    "modalities": Refused((["text"], []), _TEXT_ONLY),
    "audio": Refused(({},), _TEXT_ONLY),
    "web_search_options": Refused((), "nothing is searched here; offer a function"),
    "verbosity": Refused(("medium",), "say in the messages how long answers shall be"),
    "max_tool_calls": Refused((), "set 'parallel_tool_calls' to false for one call"),
    # vLLM
    "structural_tag": Refused((), "describe the whole answer by 'response_format' or a grammar"),
    "guided_whitespace_pattern": Refused((), "white space in JSON is fixed here; leave it out"),
    "echo": Refused((False,), "put the last message before the answer yourself"),
    "add_special_tokens": Refused((False,), "the model's template writes them; leave it out"),
    "chat_template": Refused((), "the server's --template decides; leave it out"),
    "documents": Refused(([],), "put them into the messages"),
    "best_of": Refused((1,), "use 'n' and choose among the answers"),
    "use_beam_search": Refused((False,), _LEAVE_OUT),
    "length_penalty": Refused((1,), _LEAVE_OUT),
    "early_stopping": Refused((False,), _LEAVE_OUT),
    "skip_special_tokens": Refused((True,), "control tokens are no text here; leave it out"),
    "spaces_between_special_tokens": Refused((True,), _LEAVE_OUT),
    "truncate_prompt_tokens": Refused((), "shorten the messages"),
    "prompt_logprobs": Refused((False,), "'logprobs' tells those of the answer"),
    "allowed_token_ids": Refused((), _DRAWN),
    "bad_words": Refused(([],), _DRAWN),
    "logits_processors": Refused(([],), _DRAWN),
    "return_tokens_as_token_ids": Refused((False,), "'logprobs' has the bytes of tokens"),
    "return_token_ids": Refused((False,), "'logprobs' has the bytes of tokens"),
    "include_reasoning": Refused((True,), "use 'reasoning_effort', or pass over the reasoning"),
    # SGLang
    "stop_regex": Refused(([], ""), "use 'stop'"),
    "separate_reasoning": Refused((True,), "reasoning is always told apart; leave it out"),
    "stream_reasoning": Refused((True,), "reasoning is streamed as it comes; leave it out"),
    "custom_logit_processor": Refused((), _DRAWN),
    "input_ids": Refused((), "send 'messages'"),
    "lora_path": Refused((), "name the adapter as 'model'"),
    "return_hidden_states": Refused((False,), _LEAVE_OUT),
    "return_prompt_token_ids": Refused((False,), _LEAVE_OUT),
    "return_meta_info": Refused((False,), _LEAVE_OUT),
    "return_routed_experts": Refused((False,), _LEAVE_OUT),
    "watermark": Refused(({},), _LEAVE_OUT),
    "task": Refused((), _LEAVE_OUT),
    # llama.cpp
    "grammar_lazy": Refused((False,), "a grammar holds from the first character on; leave it out"),
    "n_predict": Refused((-1,), "use 'max_tokens'"),
    "n_probs": Refused((0,), "use 'logprobs' and 'top_logprobs'"),
    "repeat_penalty": Refused((1,), "use 'repetition_penalty'"),
    # Others
    "format": Refused((), "use 'response_format'"),
}
"""Not here are hints that promise nothing: `prediction`, `prompt_cache_key`, `safety_identifier`,
`guided_decoding_backend` and what else nobody can tell from an answer."""

"""Whether what a request's fields promise can be kept."""

from collections.abc import Mapping

from functionary_sgl.api import refusals
from functionary_sgl.api.refusals import REFUSED as SHARED
from functionary_sgl.api.refusals import TEXT_ONLY, Refused, refusal
from functionary_sgl.api.responses.requests import ResponsesRequest
from functionary_sgl.api.sampling import check_least
from functionary_sgl.errors import RequestError

_INPUT = "send 'input'"
_LENGTH = "use 'max_output_tokens'"
_LOGPROBS = "use 'top_logprobs', or 'include' with 'message.output_text.logprobs'"

REFUSED: Mapping[str, Refused] = {
    **SHARED,
    **refusals.forms("describe the answer by 'text.format'"),
    # OpenAI
    "conversation": Refused((), "go on by 'previous_response_id'"),
    "prompt": Refused((), "no prompts are kept here; send 'instructions' and 'input'"),
    "prompt_cache_retention": Refused(("in-memory", "in_memory"), "leave it out"),
    "context_management": Refused(([],), "set 'truncation' to 'auto' to leave out what is old"),
    "moderation": Refused((), "nothing is moderated here; leave it out"),
    "modalities": Refused((["text"], []), TEXT_ONLY),
    "audio": Refused(({},), TEXT_ONLY),
    # Chat Completions
    "messages": Refused((), _INPUT),
    "functions": Refused(([],), "use 'tools'"),
    "function_call": Refused(("auto",), "use 'tool_choice'"),
    "max_tokens": Refused((), _LENGTH),
    "max_completion_tokens": Refused((), _LENGTH),
    "reasoning_effort": Refused((), "use 'reasoning.effort'"),
    "verbosity": Refused(("medium",), "say in the input how long answers shall be"),
    "n": Refused((1,), "send the request several times"),
    "logprobs": Refused((False,), _LOGPROBS),
    "web_search_options": Refused((), "nothing is searched here; offer a function"),
    # vLLM and SGLang
    "continue_final_message": Refused((False,), "the answer is a new message; leave it out"),
    "add_generation_prompt": Refused((True,), "leave it out"),
    "best_of": Refused((1,), "send the request several times, and choose"),
    "prompt_logprobs": Refused((False,), _LOGPROBS),
    "return_tokens_as_token_ids": Refused((False,), _LOGPROBS),
    "return_token_ids": Refused((False,), _LOGPROBS),
    "include_reasoning": Refused((True,), "use 'reasoning.effort', or pass over the reasoning"),
    "enable_response_messages": Refused((False,), "leave it out"),
    "previous_input_messages": Refused((), _INPUT),
    "input_ids": Refused((), _INPUT),
    "n_predict": Refused((-1,), _LENGTH),
    "n_probs": Refused((0,), _LOGPROBS),
}


def check(request: ResponsesRequest) -> None:
    """RequestError, naming it, for a field that promises what cannot be kept."""
    refusals.check(request, REFUSED)
    check_least(request, request.max_output_tokens)
    if request.input is None and request.previous_response_id is None:
        raise RequestError(
            "Missing required parameter: 'input'.", "input", "missing_required_parameter"
        )
    if request.background and request.stream:
        raise refusal(
            "background", "ask for what is made in the background by its id, or 'stream' it"
        )
    if request.background and request.store is False:
        raise refusal("background", "what is not kept cannot be asked for; leave out 'store'")
    if request.stream_options is not None and request.stream_options.include_obfuscation:
        raise refusal("stream_options.include_obfuscation", "events are not padded; leave it out")
    if request.text is not None and request.text.verbosity in ("low", "high"):
        raise refusal("text.verbosity", "say in the input how long answers shall be")
    for name in ("summary", "generate_summary"):
        # A model's reasoning is told whole, which is what 'auto' comes to.
        if getattr(request.reasoning, name, None) in ("concise", "detailed"):
            raise refusal(f"reasoning.{name}", "reasoning is told whole; leave it out")

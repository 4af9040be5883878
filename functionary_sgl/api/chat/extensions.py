"""Fields of vLLM, SGLang, llama.cpp and others that promise a form of the answer.

Those that can be kept are fields of a request; the others are refused (`api/refusals.py`).
"""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field

from functionary_sgl.api.bodies import Body
from functionary_sgl.api.limits import MAX_CHOICE_TEXTS
from functionary_sgl.api.refusals import REFUSED as SHARED
from functionary_sgl.api.refusals import TEXT_ONLY, Refused


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


_BYTES = "'logprobs' has the bytes of tokens"

REFUSED: Mapping[str, Refused] = {
    **SHARED,
    # OpenAI
    "modalities": Refused((["text"], []), TEXT_ONLY),
    "audio": Refused(({},), TEXT_ONLY),
    "web_search_options": Refused((), "nothing is searched here; offer a function"),
    "verbosity": Refused(("medium",), "say in the messages how long answers shall be"),
    "max_tool_calls": Refused((), "set 'parallel_tool_calls' to false for one call"),
    # vLLM
    "structural_tag": Refused((), "describe the whole answer by 'response_format' or a grammar"),
    "best_of": Refused((1,), "use 'n' and choose among the answers"),
    "prompt_logprobs": Refused((False,), "'logprobs' tells those of the answer"),
    "return_tokens_as_token_ids": Refused((False,), _BYTES),
    "return_token_ids": Refused((False,), _BYTES),
    "include_reasoning": Refused((True,), "use 'reasoning_effort', or pass over the reasoning"),
    # SGLang
    "input_ids": Refused((), "send 'messages'"),
    # llama.cpp
    "n_predict": Refused((-1,), "use 'max_tokens'"),
    "n_probs": Refused((0,), "use 'logprobs' and 'top_logprobs'"),
    # Others
    "format": Refused((), "use 'response_format'"),
}

"""Which format a model was trained on, found from its checkpoint.

The order is that of MeetKai/functionary: the chat template's text, then its version comment, then
the special tokens (which tell base models apart that carry no comment). Before the special tokens
come the templates of other makers' models, which may use the same tokenizers.
"""

from dataclasses import dataclass

from functionary_sgl.errors import UsageError
from functionary_sgl.prompt.checkpoint import Checkpoint
from functionary_sgl.tokenizer import Tokenizer
from functionary_sgl.turns import FORMATS, Format, registry

_REASONING_MODE = "Reasoning Mode"
_NEVER = "\ufdd0"

# What templates of models that brought their own way to call write; the first that is found counts.
_WRITES = {
    "<tool_call>": "hermes",
    "[CALL_ID]": "mistral-v11",
    "[ARGS]": "mistral-v13",
    "[TOOL_CALLS]": "mistral",
    "<｜tool▁calls▁begin｜>": "r1",
    "<start_of_turn>": "gemma3",
}

# What stands in the calls of models that write <tool_call> too, but no JSON in it.
_WRITES_NO_JSON = ("<arg_key>", "<parameter=")

# Ids that tell base models apart: the name of the one is of Llama 3.1, of the other of Llama 3.
_EOM, _EOM_ID = "<|eom_id|>", 128008
_RESERVED, _RESERVED_ID = "<|reserved_special_token_249|>", 128254


@dataclass(frozen=True, slots=True)
class Found:
    """A format, and why it was taken."""

    format: Format
    reason: str


def named(name: str) -> Found:
    """The format that the user asked for; UsageError if there is none of that name."""
    formats = registry.formats()
    if name not in formats:
        raise UsageError(f"unknown template '{name}'; there are: {', '.join(formats)}")
    return Found(formats[name], "chosen with --template")


def detect(checkpoint: Checkpoint) -> Found:
    """The format of `checkpoint`; UsageError if nothing in it tells."""
    formats = registry.formats()
    own = checkpoint.template
    template = "" if own is None else own.text
    for format in formats.values():
        if template.strip() == (format.template_text or _NEVER).strip():
            return Found(format, "the checkpoint's chat template is this one")
    if own is not None and (name := own.version) is not None:
        if name == "v3-llama3.1" and _REASONING_MODE in template:
            name = "v3-llama3.1-reasoning"  # which was published under the other's name
        if name in formats:
            return Found(formats[name], "named in the checkpoint's chat template")
        raise UsageError(_unknown(f"its chat template names '{name}', which is unknown"))
    return _by_template(template) or _by_tokens(checkpoint.tokenizer, template)


def _by_template(template: str) -> Found | None:
    """Models with a template of their own kind, told by what it writes before a call."""
    for text in _WRITES_NO_JSON:
        if text in template:
            raise UsageError(
                f"the model's calls have {text}, a form that no template here knows; choose one "
                "with --template to serve it all the same"
            )
    for text, name in _WRITES.items():
        if text in template:
            return Found(FORMATS[name], f"the checkpoint's chat template writes {text}")
    return None


def _by_tokens(tokenizer: Tokenizer, template: str) -> Found:
    ids = tokenizer.control_ids
    if ids.get(_EOM) == _EOM_ID:
        return Found(FORMATS["v3-llama3.1"], "the tokenizer is Llama 3.1's")
    if ids.get(_RESERVED) == _RESERVED_ID:
        name = "v2.llama3" if _RESERVED in template else "v3.llama3"
        if "image_url" in template and ">>>" in template:
            name = "v3.llava_llama"
        return Found(FORMATS[name], "the tokenizer is Llama 3's")
    if "<|from|>" in ids:
        return Found(FORMATS["v2"], "the tokenizer has <|from|>")
    if "<|START_OF_FUNCTION_CALL|>" in ids:
        return Found(FORMATS["v1"], "the tokenizer has <|START_OF_FUNCTION_CALL|>")
    raise UsageError(_unknown("neither its chat template nor its special tokens tell"))


def _unknown(why: str) -> str:
    names = ", ".join(registry.formats())
    return f"the model's template is unknown: {why}; choose one with --template ({names})"

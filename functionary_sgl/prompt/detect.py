"""Which format a model was trained on, found from its checkpoint.

The order is that of MeetKai/functionary: the chat template's text, then its version comment, then
the special tokens (which tell base models apart that carry no comment).
"""

import re
from dataclasses import dataclass

from functionary_sgl.errors import UsageError
from functionary_sgl.prompt.checkpoint import Checkpoint
from functionary_sgl.turns import FORMATS, Format

_VERSION = re.compile(r"\{#-?\s*version=(\S+?)\s*-?#\}")

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
    if name not in FORMATS:
        raise UsageError(f"unknown template '{name}'; there are: {', '.join(FORMATS)}")
    return Found(FORMATS[name], "chosen with --template")


def detect(checkpoint: Checkpoint) -> Found:
    """The format of `checkpoint`; UsageError if nothing in it tells."""
    template = checkpoint.chat_template
    for format in FORMATS.values():
        if template is not None and template.strip() == format.template.strip():
            return Found(format, "the checkpoint's chat template is this one")
    if template is not None and (version := _VERSION.search(template)):
        if version[1] in FORMATS:
            return Found(FORMATS[version[1]], "named in the checkpoint's chat template")
        raise UsageError(_unknown(f"its chat template names '{version[1]}', which is unknown"))
    return _by_tokens(checkpoint)


def _by_tokens(checkpoint: Checkpoint) -> Found:
    ids, template = checkpoint.tokenizer.control_ids, checkpoint.chat_template or ""
    if ids.get(_EOM) == _EOM_ID:
        return Found(FORMATS["v3-llama3.1"], "the tokenizer is Llama 3.1's")
    if ids.get(_RESERVED) == _RESERVED_ID:
        name = "v2.llama3" if _RESERVED in template else "v3.llama3"
        return Found(FORMATS[name], "the tokenizer is Llama 3's")
    if "<|from|>" in ids:
        return Found(FORMATS["v2"], "the tokenizer has <|from|>")
    raise UsageError(_unknown("neither its chat template nor its special tokens tell"))


def _unknown(why: str) -> str:
    names = ", ".join(FORMATS)
    return f"the model's template is unknown: {why}; choose one with --template ({names})"

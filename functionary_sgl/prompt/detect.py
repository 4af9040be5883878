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

# Llama 3 has this token under this id; Llama 3.1 has not.
_RESERVED = "<|reserved_special_token_249|>"
_LLAMA3_RESERVED_ID = 128254


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
    if checkpoint.tokenizer.control_ids.get(_RESERVED) == _LLAMA3_RESERVED_ID:
        return Found(FORMATS["v3.llama3"], "the tokenizer is Llama 3's")
    raise UsageError(_unknown("neither its chat template nor its special tokens tell"))


def _unknown(why: str) -> str:
    names = ", ".join(FORMATS)
    return f"the model's template is unknown: {why}; choose one with --template ({names})"

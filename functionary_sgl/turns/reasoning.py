"""The tags around what models think before they answer."""

from collections.abc import Mapping
from typing import NamedTuple


class Tags(NamedTuple):
    """What closes each that opens it, and what the program writes behind it where a call has to
    follow. The first is the one that a program writes. `text`: what it writes before a text that
    has a form."""

    closing: Mapping[str, str]
    after: str
    text: str = ""


THINK = Tags(
    {"<think>": "</think>", "<thinking>": "</thinking>", "<reasoning>": "</reasoning>"}, "\n\n"
)
BRACKETS = Tags({"[THINK]": "[/THINK]"}, "")
SEED = Tags({"<seed:think>": "</seed:think>"}, "\n")
LINE_THINK = Tags({"\n<think>": "</think>", "<think>": "</think>"}, "", "\n")
NOW_THINK = Tags({"<think>": "</think>"}, "")
ANALYSIS = Tags({"<|channel|>analysis<|message|>": "<|end|>"}, "")

CLOSING = {**THINK.closing, **BRACKETS.closing, **SEED.closing, **LINE_THINK.closing}

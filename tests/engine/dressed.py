"""The embedded model in every format: control tokens that its tokenizer lacks take the places of
others, which have no meaning there.

What it writes makes no sense, but it is a real model that a real engine runs.
"""

import json

from functionary_sgl.grammars.marks import Marks
from functionary_sgl.prompt import checkpoint
from functionary_sgl.prompt.prompter import Prompter
from functionary_sgl.tokenizer import Tokenizer
from functionary_sgl.turns import Format
from tests.formats import own_template

DEFINITION = (checkpoint.EMBEDDED / "tokenizer.json").read_text(encoding="utf-8")
BOS = "<|begin_of_text|>"
# SGLang ends an answer with these, whatever the format.
ENDS = ("<|eot_id|>", "<|end_of_text|>")


def prompter(format: Format) -> Prompter:
    """That of the embedded model with the control tokens of `format`."""
    return Prompter(format, Tokenizer(_dressed(format)), own_template(format))


def _dressed(format: Format) -> str:
    definition = json.loads(DEFINITION)
    added = {token["content"]: token for token in definition["added_tokens"]}
    wanted = dict.fromkeys((*format.stop_tokens, *format.control_tokens))
    lacking = [token for token in wanted if token not in added]
    special = [name for name, token in added.items() if token["special"]]
    # Where there are not enough, texts of one format's system message are none of another's.
    texts = [name for name, token in added.items() if not token["special"]]
    free = [name for name in (*special, *texts) if name not in {*wanted, *ENDS, BOS}]
    ends = [name for name in ENDS if name not in wanted]
    for token in lacking:
        place = (ends if token in format.stop_tokens and ends else free).pop(0)
        added[place] |= {"content": token, "special": True}
    for mark in _marks_of_parameters(format):
        added[free.pop(0)] |= {"content": mark, "special": False}
    return json.dumps(definition)


def _marks_of_parameters(format: Format) -> list[str]:
    """Those of its marks that stand around parameters, which are tokens of its models."""
    texts = format.parameters.texts if isinstance(format.parameters, Marks) else ()
    return [mark for mark in format.marks if any(mark in text for text in texts)]

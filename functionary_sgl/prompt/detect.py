"""Which format a model was trained on, found from its checkpoint.

First what the checkpoint says itself: its chat template is that of a format, or names one, as
Functionary's do. Then the special tokens, which tell base models apart that carry no comment, in
the order of MeetKai/functionary, unless there is another maker's template. Then what that does:
the format whose program writes the calls that it shows (`probe.py`).
"""

from dataclasses import dataclass

from functionary_sgl.errors import UsageError
from functionary_sgl.prompt.chat_template import ChatTemplate
from functionary_sgl.prompt.checkpoint import Checkpoint
from functionary_sgl.prompt.own_template import OwnTemplate
from functionary_sgl.prompt.probe import Probe
from functionary_sgl.tokenizer import ControlTokens, Tokenizer
from functionary_sgl.turns import FORMATS, Format, registry

_REASONING_MODE = "Reasoning Mode"
_NEVER = "\ufdd0"

# Ids that tell base models apart: the name of the one is of Llama 3.1, of the other of Llama 3.
_EOM, _EOM_ID = "<|eom_id|>", 128008
_RESERVED, _RESERVED_ID = "<|reserved_special_token_249|>", 128254
# With this, calls begin in Functionary's form of Llama 3.
_CALL = ">>>"


@dataclass(frozen=True, slots=True)
class Found:
    """A format, and why it was taken."""

    format: Format
    reason: str


def chosen(checkpoint: Checkpoint, name: str | None) -> Found:
    """The format that the user asked for by `name`, else that of `checkpoint`. Raises as both."""
    return named(name) if name else detect(checkpoint)


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
    found = _by_tokens(checkpoint.tokenizer, template)
    if found is None and own is not None:
        return _by_turns(checkpoint.tokenizer, own)
    if found is None:
        raise UsageError(_unknown("neither a chat template nor its special tokens tell"))
    return found


def _by_tokens(tokenizer: Tokenizer, template: str) -> Found | None:
    """Functionary's models whose template names no format, and base models, which have none."""
    ids = tokenizer.control_ids
    if "<|from|>" in ids:
        return Found(FORMATS["v2"], "the tokenizer has <|from|>")
    if "<|START_OF_FUNCTION_CALL|>" in ids:
        return Found(FORMATS["v1"], "the tokenizer has <|START_OF_FUNCTION_CALL|>")
    if ids.get(_EOM) == _EOM_ID and not template:
        return Found(FORMATS["v3-llama3.1"], "the tokenizer is Llama 3.1's")
    if ids.get(_RESERVED) == _RESERVED_ID and (
        not template or _RESERVED in template or _CALL in template
    ):
        name = "v2.llama3" if _RESERVED in template else "v3.llama3"
        if "image_url" in template and _CALL in template:
            name = "v3.llava_llama"
        return Found(FORMATS[name], "the tokenizer is Llama 3's")
    return None


def _by_turns(tokenizer: Tokenizer, own: OwnTemplate) -> Found:
    """Models with a template of their own kind, by what it makes of a call; UsageError if that is
    what no format has."""
    ids = tokenizer.control_ids
    formats = [
        format for format in registry.formats().values() if ids.keys() >= {*format.control_tokens}
    ]
    control = ControlTokens(ids)
    probe = Probe(ChatTemplate(own.text, own.special_tokens, control, own.source))
    alike = []
    for format in filter(probe.is_written_by, formats):
        if format.template_text is None:
            return Found(format, "the checkpoint's chat template writes calls in this form")
        alike.append(format.name)
    if alike:
        raise UsageError(
            _unknown(
                f"its chat template writes calls as {alike[0]} does, which has a prompt of its own"
            )
        )
    raise UsageError(_unknown(f"its chat template {probe.told()}"))


def _unknown(why: str) -> str:
    names = ", ".join(registry.formats())
    return f"the model's format is unknown: {why}; choose one with --template ({names})"

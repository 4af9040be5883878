"""A format: a prompt template and a turn program, and the models that were trained on them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from functionary_sgl.grammars.parameters import Places
from functionary_sgl.turns.reasoning import THINK, Tags

_PACKAGE = Path(__file__).parent.parent
# In a wheel the templates lie inside the package, in a checkout beside it.
TEMPLATE_DIRECTORIES = (_PACKAGE / "templates", _PACKAGE.parent / "templates")


@dataclass(frozen=True)
class Format:
    """name: as in a checkpoint's `{# version=NAME #}` comment.
    program: the turn program, an SGLang function of (prompt, offer).
    models: the checkpoints that use the format.
    control_tokens: control tokens that template and program write; a model that lacks one has not
        been trained on the format.
    stop_tokens: control tokens that end a turn, those that the model has.
    ends_in_history: control tokens that a template writes behind a turn which is over, where that
        is not always the one that the model ended it with.
    marks: strings that are control tokens to the models whose tokenizer has them as added tokens,
        and text to others.
    reserved_names: names that no client's function may have, because they mean something else.
    template: the Jinja text of the prompt; empty: `templates/NAME.jinja`; None: the checkpoint's
        own chat template.
    trims_text: whether white space at the ends of text for the user means nothing.
    code: whether there is a code interpreter.
    many_calls: whether a turn can have several calls.
    numbers_calls: whether the calls of a conversation are numbered.
    addresses_text: whether text is sent to a recipient as a call is, so that it may have any form
        beside calls.
    json_answers_beside_calls: whether an answer in JSON can be told from a call.
    opening: with what calls may begin where no control token marks them.
    image_token: the token with which the template shows an image; empty: it shows none.
    parameters: what stands around the parameters of a call; None: its arguments are JSON.
    reasons: whether a turn may begin with reasoning; `reasons_if_forced`: also one that has to be a
        call. `tags`: what stands around it.
    """

    name: str
    program: Callable[..., Any]
    models: tuple[str, ...]
    control_tokens: tuple[str, ...]
    stop_tokens: tuple[str, ...]
    ends_in_history: tuple[str, ...] = ()
    marks: tuple[str, ...] = ()
    reserved_names: frozenset[str] = field(default_factory=frozenset)
    template: str | None = ""
    trims_text: bool = True
    code: bool = True
    many_calls: bool = True
    numbers_calls: bool = False
    addresses_text: bool = False
    json_answers_beside_calls: bool = True
    opening: str = "<"
    image_token: str = ""
    parameters: Places | None = None
    reasons: bool = False
    reasons_if_forced: bool = False
    tags: Tags = THINK

    @property
    def template_text(self) -> str | None:
        """The template; None if it is the checkpoint's own."""
        return _template_file(self.name) if self.template == "" else self.template


@cache
def _template_file(name: str) -> str:
    paths = [directory / f"{name}.jinja" for directory in TEMPLATE_DIRECTORIES]
    return next(path for path in paths if path.is_file()).read_text(encoding="utf-8")

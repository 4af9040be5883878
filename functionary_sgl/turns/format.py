"""A format: a prompt template and a turn program, and the models that were trained on them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

_PACKAGE = Path(__file__).parent.parent
# In a wheel the templates lie inside the package, in a checkout beside it.
_TEMPLATE_DIRECTORIES = (_PACKAGE / "templates", _PACKAGE.parent / "templates")


@dataclass(frozen=True)
class Format:
    """name: as in a checkpoint's `{# version=NAME #}` comment.
    program: the turn program, an SGLang function of (prompt, offer).
    models: the checkpoints that use the format.
    control_tokens: control tokens that template and program write; a model that lacks one has not
        been trained on the format.
    stop_tokens: control tokens that end a turn, those that the model has.
    reserved_names: names that no client's function may have, because they mean something else.
    trims_text: whether white space at the ends of text for the user means nothing.
    """

    name: str
    program: Callable[..., Any]
    models: tuple[str, ...]
    control_tokens: tuple[str, ...]
    stop_tokens: tuple[str, ...]
    reserved_names: frozenset[str] = field(default_factory=frozenset)
    trims_text: bool = True

    @property
    def template(self) -> str:
        """The text of `templates/NAME.jinja`."""
        return _template_text(self.name)


@cache
def _template_text(name: str) -> str:
    paths = [directory / f"{name}.jinja" for directory in _TEMPLATE_DIRECTORIES]
    return next(path for path in paths if path.is_file()).read_text(encoding="utf-8")

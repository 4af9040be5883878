"""What a text has to be: JSON by a schema, or what a grammar describes."""

from dataclasses import dataclass, field
from typing import Literal

from functionary_sgl.chat.tools import Tool


@dataclass(frozen=True, slots=True)
class Form:
    """A form that an engine holds a text to.

    source: a JSON Schema (as text), a regular expression of Rust's, or a grammar in llguidance's
        dialect of Lark. All of the text must match.
    beginnings: with one of which a text of this form begins, as far as these are known.
    """

    kind: Literal["json_schema", "regex", "lark"]
    source: str
    beginnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class JSONAnswer(Tool):
    """An answer in text that has to be JSON by a schema: like the arguments of a tool, but any JSON
    value. `path` is where the request has the schema."""

    @property
    def title(self) -> str:
        return "The form of the answer"

    @property
    def parameters_path(self) -> str:
        return self.path


@dataclass(frozen=True, slots=True)
class TextAnswer:
    """An answer in text by a regular expression, by a grammar (in Lark, or GBNF as llama.cpp has
    it), or that is one of some texts. `path` is where the request says so, for errors."""

    kind: Literal["regex", "grammar"]
    source: str = ""
    path: str = field(default="response_format", compare=False)


@dataclass(frozen=True, slots=True)
class OneOf:
    """An answer that is one of `texts`; `path` as in TextAnswer."""

    texts: tuple[str, ...]
    path: str = field(default="response_format", compare=False)


Answer = JSONAnswer | TextAnswer | OneOf
"""What a client may say of an answer in text."""

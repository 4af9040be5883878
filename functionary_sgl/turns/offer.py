"""What a turn may contain."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from functionary_sgl.chat.forms import Form
from functionary_sgl.chat.tools import CODE_INTERPRETER


@dataclass(frozen=True, slots=True)
class Offer:
    """What the model may do in this turn; made from the request's tools and tool choice.

    functions: name of each function on offer, with the JSON Schema (as text) of its arguments;
        None: the model writes them as it likes.
    inputs: name of each of them that takes a text, with the form of that text in JSON.
    whole: name of each of them with the JSON Schema that its arguments are to satisfy, where that
        is known: it says what of them is text where a format writes text and JSON alike.
    text: whether it may answer in text.
    code: whether it may send code to the code interpreter.
    settled: whether there is only one thing that it may do, so that the model is not asked.
    parallel: whether a call may be followed by another.
    reasoning: whether it may reason before it does anything else.
    answer: the form that an answer in text must have; None: any text.
    continues: whether the turn goes on in the text that the prompt ends with.
    free_names: whether the model writes the names of what it calls as it likes, so that it may call
        what is not on offer; only where text is allowed and may be any text.
    called: how many calls the conversation has already; 0 where the format does not number them.
    """

    functions: Mapping[str, str | None] = field(default_factory=dict)
    text: bool = True
    code: bool = False
    settled: bool = False
    parallel: bool = True
    reasoning: bool = False
    answer: Form | None = None
    continues: bool = False
    free_names: bool = False
    inputs: Mapping[str, Form] = field(default_factory=dict)
    whole: Mapping[str, str] = field(default_factory=dict)
    called: int = 0

    @property
    def names(self) -> list[str]:
        """All that is on offer, by name."""
        return list(self.functions) + [CODE_INTERPRETER] * self.code

    def is_code(self, name: str) -> bool:
        """Whether what goes to `name` is code for the code interpreter."""
        return self.code and name == CODE_INTERPRETER

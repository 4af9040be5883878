"""What a turn may contain."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from functionary_sgl.chat.tools import CODE_INTERPRETER


@dataclass(frozen=True, slots=True)
class Offer:
    """What the model may do in this turn; made from the request's tools and tool choice.

    functions: name of each function on offer, with the JSON Schema (as text) of its arguments.
    text: whether it may answer in text.
    code: whether it may send code to the code interpreter.
    settled: whether there is only one thing that it may do, so that the model is not asked.
    parallel: whether a call may be followed by another.
    reasoning: whether it may reason before it does anything else.
    answer: the JSON Schema (as text) that an answer in text must follow; None: any text.
    """

    functions: Mapping[str, str] = field(default_factory=dict)
    text: bool = True
    code: bool = False
    settled: bool = False
    parallel: bool = True
    reasoning: bool = False
    answer: str | None = None

    @property
    def names(self) -> list[str]:
        """All that may be called, by name."""
        return list(self.functions) + [CODE_INTERPRETER] * self.code

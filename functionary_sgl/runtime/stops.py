"""Stop strings that may contain control tokens.

A control token is an id, not text: text that is spelt like it must not stop anything. So for the
search each control token of a stop string becomes one lone surrogate, which no decoded text has.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from functionary_sgl.tokenizer import Tokenizer

_FIRST_MARK = 0xD800


@dataclass(frozen=True, slots=True)
class Stops:
    """What ends a generation.

    given: stop strings as they were given, by the form in which they are searched for.
    marks: ids of the control tokens in them, with the character that stands for each.
    """

    given: Mapping[str, str]
    marks: Mapping[int, str]

    @classmethod
    def of(
        cls,
        tokenizer: Tokenizer,
        program: Sequence[str],
        client: Sequence[str],
        *,
        in_value: bool = False,
    ) -> "Stops":
        """`program` may name control tokens; `client` is nothing but text. `in_value`: for JSON,
        whose strings may have control tokens that give text (as those of Qwen's models do), so
        that these are text here."""
        marks: dict[int, str] = {}
        given: dict[str, str] = {text: text for text in client}
        for stop in program:
            searched = ""
            for piece, is_control in tokenizer.control.split(stop):
                if is_control and not (in_value and tokenizer.gives_text(piece)):
                    mark = chr(_FIRST_MARK + len(marks))
                    searched += marks.setdefault(tokenizer.control_ids[piece], mark)
                else:
                    searched += piece
            given[searched] = stop
        # Where only the end of a stop string is a control token, it ends the generation alone too:
        # the engine knows ids, not what stands before them.
        control = {token_id: token for token, token_id in tokenizer.control_ids.items()}
        given = {mark: control[token_id] for token_id, mark in marks.items()} | given
        return cls(given, marks)

    @property
    def searched(self) -> tuple[str, ...]:
        """What a matcher looks for."""
        return tuple(self.given)

    @property
    def texts(self) -> tuple[str, ...]:
        """Those without a control token, which an engine can look for by itself."""
        marks = frozenset(self.marks.values())
        return tuple(stop for stop in self.given if marks.isdisjoint(stop))

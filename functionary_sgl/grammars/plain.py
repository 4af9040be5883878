"""Texts as they stand, up to what ends them: what some formats write where JSON has a string.

What ends a text belongs to its terminal, since that alone tells where it ends: behind the first
place where the mark stands. A text with that mark inside cannot be written. Where the mark begins
with a control token, no text has it, so that it stands behind the terminal.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from functionary_sgl.grammars.alternatives import Part
from functionary_sgl.grammars.arrays import counts
from functionary_sgl.grammars.intervals import either
from functionary_sgl.grammars.lark import Expression, Grammar, Token, sequence
from functionary_sgl.grammars.marks import Marks
from functionary_sgl.grammars.patterns import plain_pattern_text
from functionary_sgl.grammars.strings import literal
from functionary_sgl.grammars.texts import listed

_ANY = "(?s:.)"


def literally(text: str) -> str:
    """`text` in a regular expression."""
    return "".join(map(literal, text))


class Text(NamedTuple):
    """What matches all `expressions`. `least`: any text of at least so many characters, up to some
    number; None: others."""

    expressions: tuple[str, ...]
    least: int | None = None


class PlainTexts:
    """Texts in `grammar` that end with `end`, one of `marks`, and have `opening` before them."""

    def __init__(self, grammar: Grammar, marks: Marks, end: str, opening: str = "") -> None:
        self._grammar = grammar
        self._end = end
        self._before: list[Expression] = []
        self._behind: list[Expression] = []
        if isinstance(next(marks.pieces(end)), Token):
            self._before, self._behind = list(marks.pieces(opening)), list(marks.pieces(end))
        self._opening = "" if self._behind else literally(opening)
        self._ending = "" if self._behind else literally(end)

    def any(self) -> Expression:
        """Any text."""
        if self._behind:
            return sequence(self._grammar.terminal(f"/{_ANY}*/"), *self._behind)
        return self._grammar.until(self._end)

    def string(self, parts: Sequence[Part]) -> Text | None:
        """The texts that satisfy `parts`, those of strings; None where there are none. Raises
        InvalidSchema for a pattern that is not understood."""
        least, most = counts(parts, "minLength", "maxLength")
        if most is not None and least > most:
            return None
        patterns = list(dict.fromkeys(part["pattern"] for part in parts if "pattern" in part))
        values = listed(parts, least, most, patterns)
        if values is not None:
            told = [literally(value) for value in values if self._end not in value + self._end[:-1]]
            return Text((either(told),)) if told else None
        found = [plain_pattern_text(pattern) for pattern in patterns]
        known = [text for text in found if text is not None]
        if len(known) < len(found):
            return None
        times = f"{{{least},{'' if most is None else most}}}" if least or most is not None else "*"
        if known:
            return Text((*known, *[f"{_ANY}{times}"] * (times != "*")))
        return Text((f"{_ANY}{times}",), least)

    def one_of(self, *texts: Text, without: Iterable[str] = ()) -> Expression:
        """Texts that are one of `texts`, and match none of `without`, regular expressions."""
        barred = [f"~{self._ended(text)}" for text in without]
        found = (
            " & ".join([*map(self._ended, text.expressions), *self._early(text), *barred])
            for text in texts
        )
        either = " | ".join(f"({text})" for text in found)
        if self._behind:
            return sequence(*self._before, self._grammar.terminal(either), *self._behind)
        return self._grammar.lazy(either)

    def _early(self, text: Text) -> Iterator[str]:
        """What bars an end before the one of `text`, which a reader would take for it. A lexer
        takes the first place where the text may end, so only such count where it may not."""
        if self._behind:
            return
        if text.least is None:
            yield f"~/{self._opening}{_ANY}*{self._ending}{_ANY}+/"
        elif text.least:
            before = f"{_ANY}{{0,{text.least - 1}}}"
            yield f"~/{self._opening}{before}{self._ending}{_ANY}*/"

    def _ended(self, text: str) -> str:
        return f"/{self._opening}(?:{text}){self._ending}/"

"""Texts as they stand, up to what ends them: what some formats write where JSON has a string.

What ends a text belongs to its terminal, since that alone tells where it ends: behind the first
place where the mark stands. A text with that mark inside cannot be written.
"""

from collections.abc import Callable, Iterable, Sequence

from functionary_sgl.grammars.alternatives import Part
from functionary_sgl.grammars.arrays import counts
from functionary_sgl.grammars.intervals import either
from functionary_sgl.grammars.lark import Expression, Grammar
from functionary_sgl.grammars.patterns import plain_pattern_text
from functionary_sgl.grammars.strings import literal

_ANY = "(?s:.)"


def literally(text: str) -> str:
    """`text` in a regular expression."""
    return "".join(map(literal, text))


class PlainTexts:
    """Texts in `grammar` that end with `end`, and have `opening` before them. `matches` tells
    whether a pattern is found in a text."""

    def __init__(
        self,
        grammar: Grammar,
        end: str,
        matches: Callable[[str, str], bool],
        opening: str = "",
    ) -> None:
        self._grammar = grammar
        self._opening = literally(opening)
        self._end = end
        self._ending = literally(end)
        self._matches = matches

    def any(self) -> Expression:
        """Any text."""
        return self._grammar.until(self._end)

    def string(self, parts: Sequence[Part]) -> list[str]:
        """Regular expressions, all of which the texts match that satisfy `parts`, those of strings;
        none of them where no text does. Raises InvalidSchema for a pattern that is not
        understood."""
        least, most = counts(parts, "minLength", "maxLength")
        if most is not None and least > most:
            return []
        patterns = list(dict.fromkeys(part["pattern"] for part in parts if "pattern" in part))
        listed = [dict.fromkeys(part["enum"]) for part in parts if "enum" in part]
        if listed:
            values = [
                value
                for value in listed[0]
                if all(value in others for others in listed)
                and least <= len(value) <= (len(value) if most is None else most)
                and all(self._matches(pattern, value) for pattern in patterns)
                and self._end not in value + self._end[:-1]
            ]
            return [either(list(map(literally, values)))] if values else []
        found = [plain_pattern_text(pattern) for pattern in patterns]
        known = [text for text in found if text is not None]
        if len(known) < len(found):
            return []
        times = f"{{{least},{'' if most is None else most}}}" if least or most is not None else "*"
        return known if known and times == "*" else [f"{_ANY}{times}", *known]

    def one_of(self, *texts: Sequence[str], without: Iterable[str] = ()) -> Expression:
        """Texts that match all of one of `texts`, regular expressions, and none of `without`."""
        barred = [f"~{self._ended(text)}" for text in without]
        barred.append(f"~/{self._opening}{_ANY}*{self._ending}{_ANY}+/")
        found = (" & ".join([*map(self._ended, all_of), *barred]) for all_of in texts)
        return self._grammar.terminal(" | ".join(f"({text})" for text in found))

    def _ended(self, text: str) -> str:
        return f"/{self._opening}(?:{text}){self._ending}/"

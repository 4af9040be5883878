r"""Strings of a JSON Schema as Python's literals: in either quotes, with Python's escapes.

A character is written as itself or as an escape; control characters only as that, and nothing as
half of a surrogate pair. What a schema asks for more than any text (a pattern, an enum) has its
characters as themselves, but for those that have to be escaped.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence

from functionary_sgl.grammars.alternatives import Part
from functionary_sgl.grammars.arrays import counts
from functionary_sgl.grammars.intervals import either
from functionary_sgl.grammars.lark import NEVER, Expression
from functionary_sgl.grammars.patterns import quoted_pattern_text
from functionary_sgl.grammars.quoted import ESCAPES, QUOTES, character
from functionary_sgl.grammars.strings import literal
from functionary_sgl.grammars.texts import listed


class LiteralTexts:
    """As `Texts`, for strings and keys that are Python's."""

    def __init__(self, terminal: Callable[[str], Expression], every_spelling: bool) -> None:
        self._terminal = terminal

    def string(self, parts: Sequence[Part]) -> Expression:
        """The strings that satisfy all `parts`."""
        least, most = counts(parts, "minLength", "maxLength")
        if most is not None and least > most:
            return NEVER
        patterns = list(dict.fromkeys(part["pattern"] for part in parts if "pattern" in part))
        values = listed(parts, least, most, patterns)
        if values is not None:
            return self._any_of(values)
        times = f"{{{least},{'' if most is None else most}}}" if least or most is not None else "*"
        counted = times != "*" or not patterns
        return self._one_of(
            [
                *[_quoted(f"{character(quote)}{times}", quote)] * counted,
                *(quoted_pattern_text(pattern, quote) for pattern in patterns),
            ]
            for quote in QUOTES
        )

    def key(self, name: str) -> Expression:
        """The key `name`, which is listed."""
        return self._any_of([name])

    def other_key(
        self, names: Sequence[str], patterns: Sequence[str], barred: Sequence[str]
    ) -> Expression:
        """A key that is none of `names`, and that all `patterns` match and none of `barred`."""
        plain = f"[^{{quote}}{literal(chr(92))}{literal(chr(0))}-{literal(chr(0x1F))}]*"
        return self._one_of(
            [
                # Without escapes, there is one spelling of each name that is barred.
                _quoted(plain.replace("{quote}", literal(quote)), quote),
                *(quoted_pattern_text(pattern, quote) for pattern in patterns),
                *[f"~{_listed(names, quote)}"] * bool(names),
                *(
                    f"~{text}"
                    for text in (quoted_pattern_text(pattern, quote) for pattern in barred)
                    if text is not None
                ),
            ]
            for quote in QUOTES
        )

    def _any_of(self, values: Sequence[str]) -> Expression:
        if not values:
            return NEVER
        return self._one_of([_listed(values, quote)] for quote in QUOTES)

    def _one_of(self, texts: Iterable[Sequence[str | None]]) -> Expression:
        """What matches all of one of `texts`, regular expressions in slashes, or those barred."""
        found = [[text for text in each if text is not None] for each in texts if None not in each]
        if not found:
            return NEVER
        return self._terminal(" | ".join(f"({' & '.join(each)})" for each in found))


def _quoted(text: str, quote: str) -> str:
    return f"/{literal(quote)}{text}{literal(quote)}/"


def _listed(values: Sequence[str], quote: str) -> str:
    told = ["".join(_spelled(value, quote)) for value in values]
    return _quoted(either(told), quote)


def _spelled(value: str, quote: str) -> Iterator[str]:
    for one in value:
        if one in ESCAPES and (one not in QUOTES or one == quote):
            yield rf"\\{literal(ESCAPES[one])}"
        elif one < " ":
            yield rf"\\x{ord(one):02x}"
        else:
            yield literal(one)

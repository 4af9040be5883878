"""Objects of a JSON Schema as the arguments of a call in Python: `city="Rome", days=3)`.

Names stand as they are, in the schema's order as in JSON; values are literals: `True`, `None`,
strings in either quotes, lists and dictionaries.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from functionary_sgl.grammars.intervals import either
from functionary_sgl.grammars.lark import (
    NEVER,
    NOTHING,
    Choice,
    Expression,
    Grammar,
    Literal,
    sequence,
)
from functionary_sgl.grammars.objects import members_of
from functionary_sgl.grammars.patterns import plain_pattern_text
from functionary_sgl.grammars.plain import literally
from functionary_sgl.grammars.rules import PYTHON, Rules
from functionary_sgl.tokenizer import Tokenizer


class Keywords(NamedTuple):
    """What stands before the name of an argument (`key`), behind it (`value`), behind its value
    (`close`), and behind all (`end`)."""

    key: str = ""
    value: str = "="
    close: str = ""
    end: str = ")"

    @property
    def characters(self) -> Mapping[int, str]:
        """As `Marks` have them: no model has a control token for any of this."""
        return {}

    def in_tokens(self, tokenizer: Tokenizer) -> "Keywords":
        """The same."""
        return self

    def as_text(self) -> "Keywords":
        """The same."""
        return self


KEYWORDS = Keywords()

# A name that is not listed, so that it is read to its end and nothing else.
_NAME = r"[^\x00-\x20=(),\x22\x27\[\]{}]+"


def keywords_of(schema: Mapping[str, Any], grammar: Grammar) -> Expression:
    """As `value_of`, for objects as arguments, to the bracket that closes them."""
    rules = Rules(schema, grammar, PYTHON)
    names = _Names(grammar.terminal)
    options = []
    for type_, parts in rules.alternatives.of((schema,)):
        if type_ == "object":
            rules.work.spend("object", parts)
            options.append(members_of(parts, rules.value, grammar.rule, names, NOTHING))
    rules.complete()
    return sequence(Choice(tuple(options)), Literal(KEYWORDS.end))


class _Names:
    """As `Texts`, for the names of arguments, with what stands behind them."""

    def __init__(self, terminal: Callable[[str], Expression]) -> None:
        self._terminal = terminal

    def key(self, name: str) -> Expression:
        """The name, which is listed."""
        if KEYWORDS.value in name or name.startswith(KEYWORDS.end) or name != name.strip():
            return NEVER  # it would end before, or be an end, or begin and end elsewhere
        return Literal(name + KEYWORDS.value)

    def other_key(
        self, names: Sequence[str], patterns: Sequence[str], barred: Sequence[str]
    ) -> Expression:
        """A name that is none of `names`, and that all `patterns` match and none of `barred`."""
        found = [plain_pattern_text(pattern) for pattern in patterns]
        if None in found:
            return NEVER
        without = [text for text in map(plain_pattern_text, barred) if text is not None]
        without += [either(list(map(literally, names)))] * bool(names)
        return self._terminal(
            " & ".join(
                [*map(_ended, [_NAME, *filter(None, found)]), *(f"~{_ended(t)}" for t in without)]
            )
        )


def _ended(text: str) -> str:
    return f"/(?:{text}){literally(KEYWORDS.value)}/"

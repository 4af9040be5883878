"""Strings and keys of a JSON Schema as terminals."""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import jsonschema_rs

from functionary_sgl.grammars import strings
from functionary_sgl.grammars.alternatives import Part
from functionary_sgl.grammars.arrays import counts
from functionary_sgl.grammars.lark import NEVER, Expression, Literal
from functionary_sgl.grammars.patterns import pattern_text

_PATTERN_BYTES = 1024 * 1024


class Texts:
    """`terminal` gives the name of a terminal's text; `every_spelling`: whether values of an
    `enum` are taken in every spelling. Patterns are as `schemas.enforceable` has them; of others
    all methods raise InvalidSchema."""

    def __init__(self, terminal: Callable[[str], Expression], every_spelling: bool) -> None:
        self._terminal = terminal
        self._every_spelling = every_spelling

    def string(self, parts: Sequence[Part]) -> Expression:
        """The strings that satisfy all `parts`."""
        least, most = counts(parts, "minLength", "maxLength")
        if most is not None and least > most:
            return NEVER
        patterns = [part["pattern"] for part in parts if "pattern" in part]
        found = [pattern_text(pattern) for pattern in dict.fromkeys(patterns)]
        if None in found:
            return NEVER
        values = listed(parts, least, most, patterns)
        if values is not None:
            if not values:
                return NEVER
            return self._terminal(f"/{strings.any_of(values, self._every_spelling)}/")
        if least or most is not None or not found:
            found.insert(0, strings.string(least, most))
        return self._terminal(" & ".join(f"/{text}/" for text in found))

    def key(self, name: str) -> Expression:
        """The key `name`, which is listed."""
        if strings.is_plain(name):
            return Literal(f'"{name}"')
        return self._terminal(f"/{strings.any_of([name], False)}/")

    def other_key(
        self, names: Sequence[str], patterns: Sequence[str], barred: Sequence[str]
    ) -> Expression:
        """A key that is none of `names`, and that all `patterns` match and none of `barred`."""
        found = [strings.string(), *map(pattern_text, patterns)]
        without = [text for text in map(pattern_text, barred) if text is not None]
        if None in found:
            return NEVER
        if names:
            without.append(strings.any_of(names, self._every_spelling))
        return self._terminal(
            " & ".join([*(f"/{t}/" for t in found), *(f"~/{t}/" for t in without)])
        )


def listed(
    parts: Sequence[Part], least: int, most: int | None, patterns: Sequence[str]
) -> list[str] | None:
    """The strings that all enums of `parts` list, have `least` to `most` characters and all
    `patterns` match; None if there is no enum."""
    enums = [dict.fromkeys(part["enum"]) for part in parts if "enum" in part]
    if not enums:
        return None
    return [
        value
        for value in enums[0]
        if all(value in others for others in enums)
        and least <= len(value) <= (len(value) if most is None else most)
        and all(found_in(pattern, value) for pattern in patterns)
    ]


def found_in(pattern: str, text: str) -> bool:
    """Whether `pattern` is found in `text`, in a time that grows with their lengths only."""
    return bool(_validator(pattern).is_valid(text))


@lru_cache(maxsize=256)
def _validator(pattern: str) -> Any:
    return validator({"pattern": pattern})


def validator(schema: Mapping[str, Any]) -> Any:
    """What tells whether values satisfy `schema`; ValueError for a pattern that it cannot have."""
    options = jsonschema_rs.RegexOptions(size_limit=_PATTERN_BYTES)
    return jsonschema_rs.Draft202012Validator(dict(schema), pattern_options=options)

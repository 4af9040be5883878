"""Parameters of a call, each in a place of its own, as the JSON object that clients are told.

One character after the other, so that the JSON does not depend on how the text was cut: what it
says already is told, but for what may yet be the beginning of a mark, and for values of which it is
not known yet whether they are a text.
"""

import re
from collections.abc import Callable, Iterator
from typing import Protocol

from functionary_sgl.grammars.keywords import Keywords as Keyworded
from functionary_sgl.grammars.marks import Marks
from functionary_sgl.grammars.parameters import Places
from functionary_sgl.grammars.readings import Readings
from functionary_sgl.grammars.rules import CAPITALS
from functionary_sgl.runtime.keywords import Keywords
from functionary_sgl.runtime.members import Members, quoted
from functionary_sgl.runtime.text import JSONString

_WORDS = {capital: word for word, capital in CAPITALS.items()}
_NUMBER = re.compile(r"-?[0-9]*(?:\.[0-9]*)?(?:[eE][+-]?[0-9]*)?")
_OPENING = {"object": "{", "array": "["}
_NAMED = {"boolean": ("true", "false"), "null": ("null",)}


class Parameters(Members):
    """Takes the text of parameters, to what ends them all, and gives the JSON object.

    `readings` are those of the call's function. `strict`: whether the text is known to follow them,
    and is broken off where it does not; else what should be JSON and is none is a text.
    """

    def __init__(self, marks: Marks, readings: Readings, *, strict: bool) -> None:
        super().__init__(self._between)
        self._marks = marks
        self._readings = readings
        self._strict = strict
        self._value: _Value

    def _between(self) -> str | None:
        """Other things between parameters are passed over, if they may be there at all."""
        places = [(self._text.find(m), m) for m in (self._marks.key, self._marks.end)]
        found = [(place, mark) for place, mark in places if place >= 0]
        if not found or (self._strict and min(found)[0]):
            return None
        place, mark = min(found)
        self._pass(place + len(mark))
        if mark == self._marks.key:
            self._step = self._name
            return ""
        return self._end()

    def _name(self) -> str | None:
        place = self._text.find(self._marks.value)
        if place < 0:
            return None
        name = self._marks.spelled(self._text[:place])
        self._pass(place + len(self._marks.value))
        self._step = self._of_value
        self._value = self._reader(name)
        return self._key(name)

    def _of_value(self) -> str | None:
        close = self._marks.close
        place = self._text.find(close)
        if place >= 0:
            told = self._feed(place) + self._value.close()
            self._pass(place + len(close))
            self._step = self._between
            return told
        safe = len(self._text) - _held(self._text, close)
        if not safe:
            return None
        told = self._feed(safe)
        self._pass(safe)
        return told

    def _feed(self, count: int) -> str:
        """So many characters for the value, in which a token that ends nothing is text."""
        return self._value.feed(self._marks.spelled(self._text[:count]))

    def _reader(self, name: str) -> "_Value":
        types = self._readings.types(name)
        if types == {"string"}:
            return _Text()
        if "string" in types or not self._strict:
            return _Either(types, lambda text: self._readings.takes(name, text))
        return _JSON()


def _held(text: str, mark: str) -> int:
    """How many characters at the end of `text` may be the beginning of `mark`."""
    sizes = range(min(len(mark) - 1, len(text)), 0, -1)
    return next((size for size in sizes if text.endswith(mark[:size])), 0)


class _Value(Protocol):
    """What is told of a value, piece by piece."""

    def feed(self, text: str) -> str: ...

    def close(self) -> str: ...


class _Text:
    """A string as it stands."""

    def __init__(self) -> None:
        self._begun = False

    def feed(self, text: str) -> str:
        """The text in a JSON string."""
        before = "" if self._begun else '"'
        self._begun = True
        return before + quoted(text)[1:-1]

    def close(self) -> str:
        """The end of the string."""
        return '"' if self._begun else '""'


class _JSON:
    """JSON of what is no string; with a capital, a word that Python writes so."""

    def __init__(self) -> None:
        self._word = ""
        self._begun = False

    def feed(self, text: str) -> str:
        """The JSON."""
        self._word += text
        if not self._begun and any(word.startswith(self._word) for word in _WORDS):
            return ""
        self._begun = True
        told, self._word = self._word, ""
        return told

    def close(self) -> str:
        """What was held."""
        return _WORDS.get(self._word, self._word)


class _Either:
    """A string, or JSON of another of `types`; `takes` says whether it is the latter."""

    def __init__(self, types: frozenset[str], takes: Callable[[str], bool]) -> None:
        self._types = types
        self._takes = takes
        self._held = ""
        self._text: _Text | None = None

    def feed(self, text: str) -> str:
        """Nothing as long as it is not known which of both it is."""
        if self._text is None:
            self._held += text
            if self._may_be_json():
                return ""
            self._text, text = _Text(), self._held
        return self._text.feed(text)

    def close(self) -> str:
        """What was held."""
        if self._text is not None:
            return self._text.close()
        json_text = _WORDS.get(self._held, self._held)
        return json_text if self._takes(json_text) else quoted(self._held)

    def _may_be_json(self) -> bool:
        begins = tuple(_OPENING[one] for one in self._types & _OPENING.keys())
        if "number" in self._types and _NUMBER.fullmatch(self._held):
            return True
        return self._held.startswith(begins) or any(w.startswith(self._held) for w in self._words())

    def _words(self) -> Iterator[str]:
        for type_ in self._types & _NAMED.keys():
            for word in _NAMED[type_]:
                yield word
                yield CAPITALS[word]


def reader(places: Places, readings: Readings, *, strict: bool) -> Members:
    """What reads arguments that are written in such `places`; the rest as in Parameters."""
    if isinstance(places, Keyworded):
        return Keywords(strict=strict)
    return Parameters(places, readings, strict=strict)


class OnlyMember:
    """Takes the text of parameters that are a single string, and gives what that says."""

    def __init__(self, parameters: Members) -> None:
        self._parameters = parameters
        self._string = JSONString(behind=2)

    def feed(self, text: str) -> str:
        """What the characters that are complete now say."""
        return self._string.feed(self._parameters.feed(text))


class ParametersEnd:
    """Finds where parameters end: behind their last mark. As `ValueMatcher`."""

    def __init__(self, places: Places, *, strict: bool = False) -> None:
        self._parameters = reader(places, Readings({"type": "object"}), strict=strict)
        self._fed = 0
        self.matched: str | None = None
        self.passed = 0

    @property
    def ended(self) -> bool:
        """Whether the text is over."""
        return self._parameters.ended

    def feed(self, text: str) -> str:
        """The text up to the end; nothing more after it."""
        if self.ended:
            return ""
        self._parameters.feed(text)
        passed = text
        if self.ended:
            passed = text[: self._parameters.passed - self.passed]
        self.passed += len(passed)
        return passed

    def close(self) -> str:
        """Nothing is held back."""
        return ""

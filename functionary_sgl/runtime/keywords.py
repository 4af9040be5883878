"""The arguments of a call in Python, as the JSON object that clients are told.

One character after the other, so that the JSON does not depend on how the text was cut.
"""

from functionary_sgl.chat.json_text import parsed
from functionary_sgl.grammars.keywords import KEYWORDS
from functionary_sgl.runtime.literals import Literals
from functionary_sgl.runtime.members import Members, quoted

_BRACKETS = {"(": ")", "[": "]", "{": "}"}
# Behind the quote that ends a string.
_ENDS = {")", ",", "]", "}", ":"}


class Keywords(Members):
    """Takes the text behind the bracket that opens the arguments, and gives the JSON object.

    `strict`: whether the values are known to be literals; else what is none is a text, and a quote
    ends a string only if something follows that may.
    """

    def __init__(self, *, strict: bool) -> None:
        super().__init__(self._name)
        self._strict = strict
        self._value = Literals()
        self._extent = _Extent()
        self._seen = 0

    def _name(self) -> str | None:
        text = self._text.lstrip()
        if text.startswith(KEYWORDS.end):
            self._pass(len(self._text) - len(text) + 1)
            return self._end()
        place = text.find(KEYWORDS.value)
        if place < 0:
            return None
        name = text[:place].rstrip() if not self._strict else text[:place]
        self._pass(len(self._text) - len(text) + place + len(KEYWORDS.value))
        self._value, self._extent, self._seen = Literals(), _Extent(), 0
        self._step = self._literal if self._strict else self._begun
        return self._key(name)

    def _literal(self) -> str | None:
        """A value that is known to be one."""
        if not self._text:
            return None
        told, count = self._value.feed(self._text)
        self._pass(count)
        if self._value.ended:
            self._step = self._behind
        return told

    def _begun(self) -> str | None:
        """The value as far as it has come, as a text if it turns out to be no literal."""
        while self._seen < len(self._text):
            if self._extent.ends_before(self._text[self._seen]):
                said = self._text[: self._seen].strip()
                self._pass(self._seen)
                self._step = self._behind
                return _told(said)
            self._seen += 1
        return None

    def _behind(self) -> str | None:
        text = self._text.lstrip()
        if not text:
            return None
        self._pass(len(self._text) - len(text) + 1)
        if text[0] == KEYWORDS.end:
            return self._end()
        self._step = self._name  # behind a comma
        return ""


def _told(value: str) -> str:
    """The JSON of what a value says; of a text, if it is no literal."""
    literal = Literals()
    told, count = literal.feed(value)
    if not literal.ended:
        rest, _ = literal.feed(",")
        told += rest
    if literal.ended and count >= len(value):
        try:
            parsed(told)
        except ValueError:
            return quoted(value)
        return told
    if value[:1] in ("'", '"') and value[-1:] == value[:1] and len(value) > 1:
        value = value[1:-1]  # with quotes inside that nobody escaped
    return quoted(value)


class _Extent:
    """Where a value ends, of which it is not known whether it is a literal: at a comma or a closing
    bracket of its own level."""

    def __init__(self) -> None:
        self._open: list[str] = []
        self._quote = ""
        self._is_escaped = False
        self._may_be_over = False  # the string, if what follows allows
        self._last = ""

    def ends_before(self, one: str) -> bool:
        """Take the next character, `one`; whether the value has ended before it."""
        if self._quote and not self._in_string(one):
            return False
        if one in "'\"" and (not self._last or self._last in "([{,:"):
            self._quote = one
        elif self._open and one == self._open[-1]:
            self._open.pop()
        elif not self._open and one in (",", KEYWORDS.end):
            return True
        elif one in _BRACKETS:
            self._open.append(_BRACKETS[one])
        self._last = self._last if one.isspace() else one
        return False

    def _in_string(self, one: str) -> bool:
        """Whether `one` comes behind the string."""
        if self._may_be_over and one in _ENDS:
            self._quote, self._may_be_over, self._last = "", False, self._quote
            return True
        if self._may_be_over and one.isspace():
            return False
        self._may_be_over = not self._is_escaped and one == self._quote
        self._is_escaped = one == "\\" and not self._is_escaped
        return False

"""Which tokens of a request refer to which of the functions on offer."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate

from functionary_sgl.chat.conversation import Conversation
from nano.data.parameters import Mention
from nano.data.scenes import Explained, Reading

_OPENING = "<|start_header_id|>user<|end_header_id|>\n\n"


@dataclass(frozen=True)
class Links:
    """All are places in a sample's ids. What is not found, or twice, is left out.

    functions, parameters: of those on offer, where their names end, and the lines of their types.
    wanted: the token before an answer, and a function that its request wants.
    values: the last token of a value in a request, and the parameter that it is for.
    needed: the token before an answer, a parameter of a function that its request wants, and
    whether the request lacks it.
    """

    functions: list[int] = field(default_factory=list)
    parameters: list[int] = field(default_factory=list)
    wanted: list[tuple[int, int]] = field(default_factory=list)
    values: list[tuple[int, int]] = field(default_factory=list)
    needed: list[tuple[int, int, bool]] = field(default_factory=list)

    def moved(self, by: int, first: int) -> "Links":
        """What is in requests from `first` on is `by` places later; the functions stay."""

        def at(place: int) -> int:
            return place + by if place >= first else place

        return Links(
            self.functions,
            self.parameters,
            [(at(place), function) for place, function in self.wanted],
            [(at(place), parameter) for place, parameter in self.values],
            [(at(place), parameter, lacks) for place, parameter, lacks in self.needed],
        )

    def extend(self, others: "Links") -> None:
        """Add the links of other requests for the same functions."""
        self.wanted.extend(others.wanted)
        self.values.extend(others.values)
        self.needed.extend(others.needed)

    def until(self, end: int) -> "Links":
        """What is before `end`."""
        return Links(
            self.functions,
            self.parameters,
            [link for link in self.wanted if link[0] < end],
            [link for link in self.values if link[0] < end],
            [link for link in self.needed if link[0] < end],
        )


class _Text:
    """The text of ids, and which of them each of its bytes is in."""

    def __init__(self, pieces: Sequence[bytes]) -> None:
        self.content = b"".join(pieces)
        self._ends = list(accumulate(map(len, pieces)))

    def find(self, text: str, first: int = 0, end: int | None = None) -> int:
        return self.content.find(text.encode(), first, end)

    def once(self, text: str, first: int, end: int) -> int:
        """Where `text` begins; -1 where it is not, or twice."""
        piece = text.encode()
        return self.find(text, first, end) if self.content.count(piece, first, end) == 1 else -1

    def place(self, byte: int) -> int:
        """The token that this byte is in."""
        return bisect_right(self._ends, byte)


class _Offer:
    """Where the functions and their parameters are."""

    def __init__(self, conversation: Conversation, text: _Text) -> None:
        self.functions: dict[str, int] = {}
        self.parameters: dict[str, dict[str, int]] = {}
        for tool in conversation.tools:
            opening = f"\ntype {tool.name} = "
            if (first := text.find(opening)) < 0:
                continue
            self.functions[tool.name] = text.place(first + len(opening) - 2)
            end = text.find("\n}) => any", first)
            names = (tool.parameters or {}).get("properties", {})
            found = {name: _line(text, name, first, end) for name in names}
            self.parameters[tool.name] = {n: place for n, place in found.items() if place >= 0}


def _line(text: _Text, name: str, first: int, end: int) -> int:
    """The last token in the line of a parameter."""
    for opening in (f"\n{name}: ", f"\n{name}?: "):
        if (begins := text.find(opening, first, end)) >= 0:
            return text.place(text.find("\n", begins + 1) - 1)
    return -1


def links(
    conversation: Explained, pieces: Sequence[bytes], answers: Sequence[tuple[int, int]]
) -> Links:
    """The links of a conversation whose tokens are these `pieces` of its text, and whose answers
    are at these places."""
    text = _Text(pieces)
    offer = _Offer(conversation, text)
    made = Links(
        list(offer.functions.values()),
        [place for places in offer.parameters.values() for place in places.values()],
    )
    requests = dict(_requests(text, conversation))
    turns = [m.role == "assistant" for m in conversation.messages]
    for reading in conversation.readings:
        if reading.function not in offer.functions or reading.message not in requests:
            continue
        before = answers[sum(turns[: reading.message])][0] - 1
        places = offer.parameters[reading.function]
        made.wanted.append((before, offer.functions[reading.function]))
        made.values.extend(_values(text, reading, requests[reading.message], places))
        for name, place in places.items():
            made.needed.append((before, place, name in reading.lacking))
    return made


def _requests(text: _Text, conversation: Conversation) -> Iterator[tuple[int, tuple[int, int]]]:
    """The users' messages, and where in the text they are."""
    at = 0
    for index, message in enumerate(conversation.messages):
        if message.role == "user":
            at = text.find(_OPENING + message.content, at) + len(_OPENING)
            yield index, (at, at := at + len(message.content.encode()))


def _values(
    text: _Text, reading: Reading, request: tuple[int, int], places: dict[str, int]
) -> Iterator[tuple[int, int]]:
    for name, mention in reading.said.items():
        if name in places and (end := _end(text, mention, *request)) > 0:
            yield text.place(end - 1), places[name]


def _end(text: _Text, mention: Mention, first: int, end: int) -> int:
    """Behind a value in a request; 0 if it cannot be found. Its phrase finds what alone would stand
    there twice."""
    value = mention.text.encode()
    phrase = mention.said().strip()
    if (begins := text.once(phrase, first, end)) >= 0:
        inside = text.find(mention.text, begins, begins + len(phrase.encode()))
        return inside + len(value)
    begins = text.once(mention.text, first, end)
    return begins + len(value) if begins >= 0 else 0

"""Tool results behind the calls that they answer.

Models know results right behind their calls, in the same order, and most formats tell them apart by
that alone. Clients send them in other orders, with messages of the user in between, and cut long
histories anywhere. One rule for all:

- A result belongs to the nearest call before it that has its id and no result yet; of calls that
  share an id in one message, to the first. Where each has a result, it is one more of the last.
  Where no call before it has its id, it belongs to the first behind it that does.
- A result without an id belongs to the last message before it that has calls: there to a call of
  its name, else to the first that has no result yet. So does a result whose id no call has, where
  the calls have none.
- What belongs to no call is left of a history whose beginning was cut off, and stays where it is.
  Where a call of that last message still waits, though, its id is a mistake.
"""

from collections import defaultdict, deque
from collections.abc import Sequence
from dataclasses import replace
from itertools import count

from functionary_sgl.chat.conversation import Call, Message
from functionary_sgl.errors import RequestError

Place = tuple[int, int]
"""A call: the index of its message, and its own in there."""

_MOST_NAMED = 8
"""Ids in an error's message."""


def in_call_order(
    messages: Sequence[Message], paths: Sequence[str] = (), field: str = "tool_call_id"
) -> list[Message]:
    """`messages`, which the request has at `paths`, with each result right behind its call's
    message, in the order of the calls there; it has its call's id, and the function's name where it
    has none of its own. Calls that share an id in a message get others.

    Raises RequestError for a result with an id that no call has, where a call waits for one; the
    id is in `field` of the result.
    """
    places = _by_id(messages)
    try:
        _by_place(messages, places)
    except _Unknown as unknown:
        path = paths[unknown.index] if paths else f"messages[{unknown.index}]"
        raise unknown.at(path, field) from None
    behind: defaultdict[int, list[tuple[int, int]]] = defaultdict(list)
    for result, (asker, call) in sorted(places.items(), key=lambda item: (item[1], item[0])):
        behind[asker].append((result, call))
    ordered: list[Message] = []
    for index, message in enumerate(messages):
        if index not in places:
            asking = told_apart(message)
            ordered.append(asking)
            ordered += (_of(asking.calls[c], messages[result]) for result, c in behind[index])
    return ordered


def one_by_one(messages: Sequence[Message]) -> list[Message]:
    """`messages`, with results as `in_call_order` has them, of which none has more than one call:
    one that has is as many, each with the result of its call behind it. A result whose call is not
    there any more gets one without arguments."""
    found: list[Message] = []
    waiting: list[Call] = []
    for message in messages:
        ids = [call.id for call in waiting]
        answered = ids.index(message.call_id) + 1 if message.call_id in ids else 0
        before = waiting[: answered if message.role == "tool" else None]
        found += [Message("assistant", calls=(call,)) for call in before]
        waiting = waiting[len(before) :]
        if message.role == "tool" and not _follows_call(found):
            lost = Call(message.name or "tool", "{}", message.call_id or "")
            found.append(Message("assistant", calls=(lost,)))
        found.append(replace(message, calls=message.calls[:1]))
        waiting += message.calls[1:]
    return found + [Message("assistant", calls=(call,)) for call in waiting]


def _follows_call(messages: Sequence[Message]) -> bool:
    """Whether the last that the assistant says in `messages` is a call."""
    said = (message for message in reversed(messages) if message.role == "assistant")
    return bool(next(said, Message("assistant")).calls)


def _by_id(messages: Sequence[Message]) -> dict[int, Place]:
    """For each result, by its index, the call that has its id."""
    waiting: defaultdict[str, deque[Place]] = defaultdict(deque)  # the nearest first
    answered: dict[str, Place] = {}  # the last of each id
    places: dict[int, Place] = {}
    early: list[tuple[int, str]] = []
    for index, message in enumerate(messages):
        for place, call in reversed(list(enumerate(message.calls))):
            if call.id:
                waiting[call.id].appendleft((index, place))
        if message.role != "tool" or not message.call_id:
            continue
        if waiting[message.call_id]:
            answered[message.call_id] = waiting[message.call_id].popleft()
        if message.call_id in answered:
            places[index] = answered[message.call_id]
        else:
            early.append((index, message.call_id))
    left = {call_id: deque(sorted(calls)) for call_id, calls in waiting.items()}
    for index, call_id in early:
        if left[call_id]:
            places[index] = left[call_id].popleft()
    return places


def _by_place(messages: Sequence[Message], places: dict[int, Place]) -> None:
    """Add to `places` the results that no id tells of."""
    answered = set(places.values())
    free: list[Place] = []  # calls of the last message with calls
    for index, message in enumerate(messages):
        if message.calls:
            of_this = ((index, place) for place in range(len(message.calls)))
            free = [place for place in of_this if place not in answered]
        if message.role != "tool" or index in places or not free:
            continue
        calls = [(place, messages[place[0]].calls[place[1]]) for place in free]
        fitting = [(place, call) for place, call in calls if not (message.call_id and call.id)]
        if not fitting:
            raise _Unknown(index, message, [call for _, call in calls])
        named = [place for place, call in fitting if call.name == message.name]
        places[index] = [*named, fitting[0][0]][0]
        free.remove(places[index])


class _Unknown(Exception):
    """The `result` at `index` has an id that no call has."""

    def __init__(self, index: int, result: Message, waiting: Sequence[Call]) -> None:
        self.index = index
        self._id = result.call_id
        self._waiting = [f"'{call.id}'" for call in waiting]

    def at(self, path: str, field: str) -> RequestError:
        """The same for the client, who has the result at `path` and its id in `field`."""
        more = ", ..." if len(self._waiting) > _MOST_NAMED else ""
        return RequestError(
            f"No call has the id '{self._id}' of the tool result in {path}. "
            f"Waiting for their results are: {', '.join(self._waiting[:_MOST_NAMED])}{more}.",
            param=f"{path}.{field}",
        )


def told_apart(message: Message) -> Message:
    """`message` with calls that share no id; where a call has none, templates take its name."""
    calls: list[Call] = []
    known: set[str] = set()
    for number, call in enumerate(message.calls):
        call_id = call.id or call.name
        if call_id in known:
            others = (f"{call_id}-{n}" for n in count(number))
            call_id = next(other for other in others if other not in known)
            call = replace(call, id=call_id)
        known.add(call_id)
        calls.append(call)
    return replace(message, calls=tuple(calls))


def _of(call: Call, result: Message) -> Message:
    return replace(result, call_id=call.id or call.name, name=result.name or call.name)

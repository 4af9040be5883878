"""Tool results in the order of their calls.

Formats without call ids in the prompt (all of Functionary's) tell results apart by their order
alone, so results are put into the order of the calls that they answer, whatever order they came in.
"""

from dataclasses import replace

from functionary_sgl.chat.conversation import Message
from functionary_sgl.errors import RequestError


def in_call_order(messages: list[Message]) -> list[Message]:
    """`messages` with each run of tool results sorted by the calls of the assistant before it.

    A result without an id takes the place of the first call that no other result answers; one
    without a name gets its call's. Calls without a result are fine, and so are results of a
    conversation whose calls carry no ids.

    Raises RequestError for a result whose `tool_call_id` no call has.
    """
    ordered: list[Message] = []
    position = 0
    while position < len(messages):
        end = position + 1
        ordered.append(messages[position])
        while end < len(messages) and messages[end].role == "tool":
            end += 1
        ordered += _matched(messages[position], messages[position + 1 : end], position + 1)
        position = end
    return ordered


def _matched(asker: Message, results: list[Message], offset: int) -> list[Message]:
    ids = [call.id for call in asker.calls]
    places: dict[int, int] = {}
    for index, result in enumerate(results):
        if result.call_id is not None and (any(ids) or not ids):
            if result.call_id not in ids:
                raise RequestError(
                    f"No call of the assistant message before has the id '{result.call_id}' "
                    f"of the tool result in messages[{offset + index}].",
                    param=f"messages[{offset + index}].tool_call_id",
                )
            places[index] = ids.index(result.call_id)
    free = [place for place in range(len(ids)) if place not in places.values()]
    for index in range(len(results)):
        if index not in places:
            places[index] = free.pop(0) if free else len(ids) + index
    return [
        _named(results[index], asker, places[index])
        for index in sorted(range(len(results)), key=lambda index: places[index])
    ]


def _named(result: Message, asker: Message, place: int) -> Message:
    if result.name is not None or place >= len(asker.calls):
        return result
    return replace(result, name=asker.calls[place].name)

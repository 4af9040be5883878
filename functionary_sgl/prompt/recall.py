"""Earlier turns as the model wrote them, whatever a client has made of them.

Clients parse the arguments of calls and write them in their own spelling, and most keep reasoning
to themselves. A prompt that showed that would part from the one in the engine's cache, and show the
model what it never wrote: so messages are brought back to what they were before they are rendered,
if they say the same.
"""

from collections.abc import Iterable
from dataclasses import replace
from threading import Lock

from cachetools import LRUCache

from functionary_sgl.chat.conversation import Conversation, Message
from functionary_sgl.prompt.told import Names

ANSWERS_CHARACTERS = 16_000_000


class AnswerMemory:
    """Thread-safe, and bounded by the size of what it holds."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._known: LRUCache[bytes, Message]
        self._known = LRUCache(ANSWERS_CHARACTERS, getsizeof=_size)

    def recalled(self, conversation: Conversation, salt: str) -> Conversation:
        """`conversation` with the assistant's messages as they were remembered with this `salt`;
        the ids of calls stay the client's, and so does a message that is to go on."""
        going_on = conversation.messages[-1:] if conversation.continues else ()
        ended = conversation.messages[: len(conversation.messages) - len(going_on)]
        messages, _, _ = self._walked(ended, salt)
        return replace(conversation, messages=(*messages, *going_on))

    def remember(self, conversation: Conversation, answer: Message, salt: str) -> Conversation:
        """From now on `answer` is recalled behind `conversation`: by all that it says, or without
        its reasoning by whoever knows the ids of the calls so far, which nobody can guess.

        Returns the conversation that `answer` followed, as `recalled` does.
        """
        messages, names, is_ours = self._walked(conversation.messages, salt)
        found = [names.of(answer)] if answer.calls else []
        if answer.reasoning and (answer.calls or is_ours):
            found.append(names.by_calls(replace(answer, reasoning="")))
        with self._lock:
            for name in found:
                if _size(answer) <= self._known.maxsize:
                    self._known[name] = answer
        return replace(conversation, messages=tuple(messages))

    def _walked(self, messages: Iterable[Message], salt: str) -> tuple[list[Message], Names, bool]:
        """The messages as they were, the names behind them, and whether a call among them has the
        id that it was given here."""
        names, recalled, is_ours = Names(salt), [], False
        for message in messages:
            known = self._find(names, message) if message.role == "assistant" else None
            if known is not None:
                same = zip(message.calls, known.calls, strict=True)
                is_ours |= any(call.id and call.id == given.id for call, given in same)
                message = _as_it_was(message, known)
            names.add(message)
            recalled.append(message)
        return recalled, names, is_ours

    def _find(self, names: Names, message: Message) -> Message | None:
        # First what is this client's: others may have been told the same without any reasoning.
        found = [] if message.reasoning else [names.by_calls(message)]
        if message.calls:
            found.append(names.of(message))
        with self._lock:
            known = (self._known.get(name) for name in found)
            return next((answer for answer in known if answer is not None), None)


def _as_it_was(message: Message, known: Message) -> Message:
    calls = zip(message.calls, known.calls, strict=True)
    return replace(
        message,
        reasoning=known.reasoning,
        calls=tuple(replace(call, arguments=given.arguments) for call, given in calls),
    )


def _size(answer: Message) -> int:
    """About how many characters it takes to remember `answer`."""
    calls = sum(len(call.arguments) + 200 for call in answer.calls)
    return len(answer.content) + len(answer.reasoning) + calls + 500

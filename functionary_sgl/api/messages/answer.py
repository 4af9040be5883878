"""One request's answer, by a turn."""

import uuid
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from typing import Any

from functionary_sgl.admission import Place
from functionary_sgl.api import unenforced
from functionary_sgl.api.messages import intake
from functionary_sgl.api.messages.events import MessageEvents
from functionary_sgl.api.messages.requests import MessagesRequest, PromptFields
from functionary_sgl.api.salt import cache_salt
from functionary_sgl.caller import Caller
from functionary_sgl.chat.conversation import Conversation
from functionary_sgl.checked_turn import CheckedTurn
from functionary_sgl.model import Model

Told = dict[str, Any]


class Answer:
    """`headers` go with it."""

    def __init__(
        self,
        model: Model,
        asked: MessagesRequest,
        conversation: Conversation,
        turn: CheckedTurn,
        place: Place,
    ) -> None:
        self._model = model
        self._asked = asked
        self._conversation = conversation
        self._turn = turn
        self._place = place
        self._head = head(asked, asked.model or model.names[0], turn.taken)
        self.headers = unenforced.header(turn.unenforced)

    @classmethod
    async def to(
        cls,
        asked: MessagesRequest,
        conversation: Conversation,
        model: Model,
        caller: Caller,
        place: Place,
    ) -> "Answer":
        """Raises RequestError for all that is wrong with the request."""
        turn = await prepared(asked, conversation, model, caller, asked.max_tokens)
        return cls(model, asked, conversation, turn, place)

    async def chunks(self) -> AsyncGenerator[Told, None]:
        """The answer in events, when its turn may run."""
        events = MessageEvents(self._head, full=self._is_full(), omits=omits(self._asked))
        await self._place.run()
        async with aclosing(self._model.run(self._conversation, self._turn)) as happened:
            async for each in happened:
                for told in events.of(each):
                    yield told

    def _is_full(self) -> bool:
        """Whether the context leaves less room than the request and the server do."""
        bounds = (self._asked.max_tokens, self._model.max_output_tokens)
        return self._turn.max_tokens < min(bound for bound in bounds if bound is not None)


async def prepared(
    asked: PromptFields, conversation: Conversation, model: Model, caller: Caller, most: int
) -> CheckedTurn:
    """The turn that answers, of at most so many tokens. RequestError for all that is wrong with the
    request."""
    turn = await model.prepare(
        conversation,
        intake.sampling(asked, model.defaults),
        most,
        None,
        model.adapter(asked.model),
        cache_salt(caller, asked.cache_salt),
    )
    return replace(turn, call_prefix=intake.ID_PREFIX)


def omits(asked: MessagesRequest) -> bool:
    """Whether the client does not want to see what is reasoned."""
    return asked.thinking is not None and asked.thinking.display == "omitted"


def head(asked: MessagesRequest, model: str, taken: int) -> Told:
    """The message of `model` before there is anything in it. What of the `taken` tokens of its
    prompt is in the cache is told at its end."""
    previous = None if asked.diagnostics is None else asked.diagnostics.previous_message_id
    unknown = {"cache_miss_reason": {"type": "unavailable"}}
    return {
        "id": f"msg_{uuid.uuid4().hex}",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "stop_details": None,
        "container": None,
        "diagnostics": None if previous is None else unknown,
        "usage": {
            "input_tokens": taken,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 0,
            "output_tokens": 0,
            "service_tier": "standard",
        },
    }

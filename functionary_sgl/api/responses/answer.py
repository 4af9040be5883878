"""One request's answer, by a turn."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from functionary_sgl.admission import Place
from functionary_sgl.api import unenforced
from functionary_sgl.api.errors import error_body, note
from functionary_sgl.api.responses import intake
from functionary_sgl.api.responses.events import ResponseEvents
from functionary_sgl.api.responses.head import head
from functionary_sgl.api.responses.keeping import Keeper
from functionary_sgl.api.responses.requests import ResponsesRequest
from functionary_sgl.api.responses.truncation import fitting
from functionary_sgl.api.salt import cache_salt
from functionary_sgl.api.sampling import sampling
from functionary_sgl.caller import Caller
from functionary_sgl.chat.conversation import Conversation
from functionary_sgl.checked_turn import CheckedTurn
from functionary_sgl.errors import ServerBusy
from functionary_sgl.model import Model

Told = dict[str, Any]


class Answer:
    """`headers` go with it, `keeper` keeps it, and `events` know what there is of it now."""

    def __init__(
        self,
        model: Model,
        asked: ResponsesRequest,
        conversation: Conversation,
        turn: CheckedTurn,
        place: Place,
        keeper: Keeper,
    ) -> None:
        self._model = model
        self._place = place
        self._conversation = conversation
        self._turn = turn
        self.keeper = keeper
        self.headers = unenforced.header(turn.unenforced)
        name = asked.model or model.names[0]
        self._head = head(asked, conversation, turn.sampling, name)
        self.events = ResponseEvents(self._head)

    @classmethod
    async def to(
        cls,
        asked: ResponsesRequest,
        conversation: Conversation,
        model: Model,
        caller: Caller,
        place: Place,
        keeper: Keeper,
    ) -> "Answer":
        """Raises RequestError for all that is wrong with the request."""
        drawing = sampling(asked, model.defaults)
        salt = cache_salt(caller, asked.cache_salt)

        async def prepare(conversation: Conversation) -> CheckedTurn:
            return await model.prepare(
                conversation,
                drawing,
                asked.max_output_tokens,
                intake.top_logprobs(asked),
                model.adapter(asked.model),
                salt,
            )

        if asked.truncation == "auto":
            conversation, turn = await fitting(conversation, prepare)
        else:
            turn = await prepare(conversation)
        return cls(model, asked, conversation, turn, place, keeper)

    async def chunks(self) -> AsyncGenerator[Told, None]:
        """The answer in events, the whole response last, when its turn may run."""
        self.events = ResponseEvents(self._head)
        await self._place.run()
        async with aclosing(self._model.run(self._conversation, self._turn)) as happened:
            async for each in happened:
                for told in self.events.of(each):
                    if told.get("response", {}).get("usage") is not None:
                        # Before the end is told: the next request may come at once.
                        await self.keeper.keep(told["response"])
                    yield told

    def failed(self, error: Exception) -> list[Told]:
        """The last events of an answer that cannot go on for this `error`, which is noted."""
        note(error)
        code = "rate_limit_exceeded" if isinstance(error, ServerBusy) else "server_error"
        return list(self.events.failed(code, error_body(error)["error"]["message"]))

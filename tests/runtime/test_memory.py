"""What is held of an answer while it goes on."""

import json
import tracemalloc
from contextlib import aclosing
from typing import Any

from functionary_sgl.api.chat import intake
from functionary_sgl.api.chat.requests import ChatRequest
from tests.replay import runner
from tests.serving import scripted_model

MOST_BYTES = 40
"""For a token: its id, and its text twice, as it came and as it was told."""


def test_of_an_answer_under_way_little_more_than_its_text_is_held(prompter: Any) -> None:
    model = scripted_model(prompter, {"turn": "all\n" + "word " * 6_000}, context=100_000)
    body = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}
    request = ChatRequest.from_json(json.dumps(body))
    conversation = intake.conversation(request)

    async def held() -> int:
        """Bytes that came with 4,000 tokens."""
        turn = await model.prepare(conversation, intake.sampling(request, {}), None)
        async with aclosing(model.run(conversation, turn)) as events:
            for _ in range(1_000):
                await anext(events)
            tracemalloc.start()
            for _ in range(4_000):
                await anext(events)
            return tracemalloc.get_traced_memory()[0]

    try:
        assert runner().run(held()) / 4_000 < MOST_BYTES
    finally:
        tracemalloc.stop()

"""What a request leaves for a search for garbage, which the server makes rarely."""

import gc
from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import WEATHER
from tests.serving import Served

ASK = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}
REQUESTS = 50
MOST_OBJECTS = 150
"""Of a request: what Starlette and asyncio leave in circles."""


@pytest.mark.parametrize(
    "fields",
    [{}, {"stream": True}, {"tools": [WEATHER], "tool_choice": "required", "stream": True}],
)
def test_a_request_leaves_little(serve: Callable[..., Served], fields: dict[str, Any]) -> None:
    served = serve({"turn": "all\nHello"})

    def ask(times: int) -> None:
        for _ in range(times):
            served.http.post("/v1/chat/completions", json=ASK | fields).raise_for_status()

    ask(5)
    gc.collect()
    gc.disable()
    try:
        ask(REQUESTS)
        assert gc.collect() < REQUESTS * MOST_OBJECTS
    finally:
        gc.enable()

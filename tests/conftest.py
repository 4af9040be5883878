"""What tests share: the embedded tokenizer, and servers that replay scripts."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import openai
import pytest
import uvicorn

from functionary_sgl.api.app import create_app
from functionary_sgl.engines.script import Script
from functionary_sgl.engines.scripted import ScriptedEngine
from functionary_sgl.model import Model
from functionary_sgl.prompt import checkpoint, detect
from functionary_sgl.prompt.checkpoint import Checkpoint
from functionary_sgl.prompt.prompter import Prompter
from functionary_sgl.tokenizer import Tokenizer

WEATHER: dict[str, Any] = {
    "type": "function",
    "function": {
        "name": "get_current_weather",
        "description": "Get the current weather",
        "parameters": {
            "type": "object",
            "properties": {
                "location": {
                    "type": "string",
                    "description": "The city and state, e.g. San Francisco, CA",
                }
            },
            "required": ["location"],
        },
    },
}


TINY = checkpoint.EMBEDDED.parent / "tiny"
"""A model with random weights, and a tokenizer that cuts text as that of Llama 3 does."""


@pytest.fixture(scope="session")
def tiny() -> Checkpoint:
    return checkpoint.load(str(TINY))


@pytest.fixture(scope="session")
def tokenizer(tiny: Checkpoint) -> Tokenizer:
    return tiny.tokenizer


@pytest.fixture
def prompter(tiny: Checkpoint) -> Prompter:
    return Prompter(detect.detect(tiny).format, tiny.tokenizer)


def scripted_model(prompter: Prompter, *replies: dict[str, Any], context: int = 8192) -> Model:
    """A model that replays `replies`; those without `match` answer anything."""
    script = Script.model_validate({"replies": [{"match": "", **reply} for reply in replies]})
    engine = ScriptedEngine(script, prompter.tokenizer, context)
    return Model(("m",), prompter, engine, "for tests")


class Served:
    """A server on a real socket."""

    def __init__(self, model: Model, url: str) -> None:
        self.model = model
        self.url = url
        self.client = openai.OpenAI(base_url=f"{url}/v1", api_key="none", max_retries=0)


@contextlib.contextmanager
def serving(model: Model, api_key: str | None = None) -> Iterator[Served]:
    config = uvicorn.Config(create_app(model, api_key), port=0, log_level="error")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.005)
    port = server.servers[0].sockets[0].getsockname()[1]
    served = Served(model, f"http://127.0.0.1:{port}")
    try:
        yield served
    finally:
        served.client.close()
        server.should_exit = True
        thread.join()


@pytest.fixture
def serve(prompter: Prompter) -> Iterator[Callable[..., Served]]:
    """Call it with replies of a script to have a server that gives them."""
    with contextlib.ExitStack() as stack:
        yield lambda *replies, **options: stack.enter_context(
            serving(scripted_model(prompter, *replies), **options)
        )

"""What tests share: a tokenizer, and servers that replay scripts."""

import contextlib
import os
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import openai
import pytest
import uvicorn
from hypothesis import settings

from functionary_sgl.api.app import create_app
from functionary_sgl.engines.scripted.engine import ScriptedEngine
from functionary_sgl.engines.scripted.script import Script
from functionary_sgl.model import Model
from functionary_sgl.prompt import checkpoint, detect
from functionary_sgl.prompt.checkpoint import Checkpoint
from functionary_sgl.prompt.prompter import Prompter
from functionary_sgl.tokenizer import Tokenizer
from tests.contract import Contract

# Every property holds for every format, so a few examples each are many. `make fuzz` goes on.
settings.register_profile("default", deadline=None, max_examples=10)
settings.register_profile("fuzz", deadline=None, max_examples=1000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))

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


def scripted_model(
    prompter: Prompter, *replies: dict[str, Any], context: int = 8192, **options: Any
) -> Model:
    """A model that replays `replies`; those without `match` answer anything."""
    script = Script.model_validate({"replies": [{"match": "", **reply} for reply in replies]})
    engine = ScriptedEngine(script, prompter.tokenizer, context)
    return Model(("m",), prompter, engine, "for tests", **options)


class Served:
    """A server on a real socket. `contract` is what stands around its application."""

    def __init__(self, model: Model, contract: Contract, url: str) -> None:
        self.model = model
        self.contract = contract
        self.url = url
        self.client = openai.OpenAI(base_url=f"{url}/v1", api_key="none", max_retries=0)


@contextlib.contextmanager
def serving(model: Model, api_key: str | None = None) -> Iterator[Served]:
    """A server of `model`; whatever it sends against OpenAI's contract fails the test."""
    app = Contract(create_app(model, api_key))
    config = uvicorn.Config(app, port=0, log_level="error")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.005)
    port = server.servers[0].sockets[0].getsockname()[1]
    served = Served(model, app, f"http://127.0.0.1:{port}")
    try:
        yield served
    finally:
        served.client.close()
        server.should_exit = True
        thread.join()
    assert app.violations == []


@pytest.fixture
def serve(prompter: Prompter) -> Iterator[Callable[..., Served]]:
    """Call it with replies of a script to have a server that gives them."""
    with contextlib.ExitStack() as stack:
        yield lambda *replies, **options: stack.enter_context(
            serving(scripted_model(prompter, *replies), **options)
        )

"""What tests share: a tokenizer, and servers that replay scripts.

The process that deals tests to others reads this file too, and waits for what its head imports.
"""

import contextlib
import ctypes
import gc
import os
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings

from tests.paths import ROOT

if TYPE_CHECKING:
    from functionary_sgl.prompt.checkpoint import Checkpoint
    from functionary_sgl.prompt.prompter import Prompter
    from functionary_sgl.tokenizer import Tokenizer
    from tests.serving import Served

# Every property holds for every format, so a few examples each are many. `make fuzz` goes on.
settings.register_profile("default", deadline=None, max_examples=10)
settings.register_profile("quick", deadline=None, max_examples=3)
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


TINY = ROOT / "tests" / "models" / "tiny"
"""A model with random weights, and a tokenizer that cuts text as that of Llama 3 does."""


@pytest.fixture(scope="session")
def tiny() -> "Checkpoint":
    from functionary_sgl.prompt import checkpoint

    return checkpoint.load(str(TINY))


@pytest.fixture(scope="session")
def tokenizer(tiny: "Checkpoint") -> "Tokenizer":
    return tiny.tokenizer


@pytest.fixture
def prompter(tiny: "Checkpoint") -> "Prompter":
    from functionary_sgl.prompt import detect
    from functionary_sgl.prompt.prompter import Prompter

    return Prompter(detect.detect(tiny).format, tiny.tokenizer)


@pytest.fixture
def serve(prompter: "Prompter") -> Iterator["Callable[..., Served]"]:
    """Call it with replies of a script to have a server that gives them."""
    from tests.serving import scripted_model, serving

    with contextlib.ExitStack() as stack:
        yield lambda *replies, **options: stack.enter_context(
            serving(scripted_model(prompter, *replies), **options)
        )


def pytest_collection_finish() -> None:
    """What was imported stays: the garbage collector need not look through it again and again."""
    gc.freeze()


def pytest_unconfigure() -> None:
    """sentencepiece 0.2.1, for which SGLang asks, crashes while Python ends if its types are taken
    down late, and then a passed run has failed: nothing takes them down."""
    for name, module in sys.modules.items():
        if name.startswith("swig_runtime_data"):
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(module.type_pointer_capsule))

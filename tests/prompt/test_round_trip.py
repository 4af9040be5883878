"""A template shows a turn as history just as the model wrote it."""

from typing import Any

import pytest
from hypothesis import assume, given

from functionary_sgl.chat.conversation import Call, Conversation, Message
from functionary_sgl.turns import FORMATS
from tests.formats import PROMPTERS, possible, written
from tests.replay import turns

# Formats whose history has something that the model did not write.
OTHERWISE = {
    "r1": "a newline after the assistant's tag, in the last turn only",
    "mistral": "the ids of calls",
    "seed-oss": "lists and objects, in Python's terms",
    "glm-4.7": "reasoning that the prompt began, in the last turns only",
    "gpt-oss": "who is called, in another place, and text before a call as reasoning",
    "mistral-v11": "the id of a call is the client's",
    "pythonic": "strings without quotes",
    "llama4-pythonic": "all values in quotes",
    "lfm2": "strings in quotes that are not escaped",
    "olmo3": "strings as JSON has them",
}


@pytest.mark.parametrize("format", [name for name in FORMATS if name not in OTHERWISE])
@given(turns)
def test_history_is_what_was_written(format: str, turn: Any) -> None:
    content, calls = possible(format, *turn)
    assume(content or calls)
    asked = Conversation((Message("user", "Hi"),), code_interpreter=FORMATS[format].code)
    answer = Message("assistant", content or "", tuple(Call(n, a) for n, a in calls))
    prompt = PROMPTERS[format].prompt(asked)
    continued = PROMPTERS[format].prompt(
        asked.followed_by(answer).followed_by(Message("user", "And now?"))
    )
    shown = prompt + written(format, content, calls)
    assert continued.startswith(shown)
    rest = continued.removeprefix(shown).removeprefix("\n")
    assert rest.startswith(FORMATS[format].stop_tokens)

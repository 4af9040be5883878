"""Prompts as long as the context, and a little shorter or longer."""

from typing import Any

import pytest

from tests.conftest import WEATHER
from tests.engine.conftest import RunningEngine
from tests.engine.test_client import MODEL


@pytest.mark.parametrize("fields", [{}, {"tools": [WEATHER]}], ids=["text", "tools"])
def test_what_does_not_fit_is_told_by_our_own_error(
    engine: RunningEngine, fields: dict[str, Any]
) -> None:
    """SGLang refuses the last few tokens of a context with an error of its own."""

    def ask(words: int) -> Any:
        messages = [{"role": "user", "content": "a" + " a" * words}]
        body = {"model": MODEL, "messages": messages, "max_tokens": 1, **fields}
        return engine.http.post("/v1/chat/completions", json=body)

    (card,) = engine.http.get("/v1/models").json()["data"]
    least = ask(0).json()["usage"]["prompt_tokens"]
    told = [ask(card["max_model_len"] - least + more) for more in range(-3, 8)]
    assert {answer.status_code for answer in told} == {200, 400}
    refused = [answer.json()["error"]["code"] for answer in told if answer.status_code == 400]
    assert set(refused) == {"context_length_exceeded"}
    # Once it does not fit, no longer one does.
    codes = [answer.status_code for answer in told]
    assert codes == sorted(codes)

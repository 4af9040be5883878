"""No numbers that a client may send hurt anybody else's turn, and what is no number ends its own.

One request used to end the server: `repetition_penalty` 1e-38 made logits overflow.
"""

import json
import os
import random
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from tests.conftest import WEATHER
from tests.engine.conftest import RunningEngine
from tests.engine.test_client import ASK
from tests.extremes import LEAST, extreme

REQUESTS = int(os.environ.get("ENGINE_FUZZ_REQUESTS", "300"))


def test_extremes_in_any_combination_are_answered(engine: RunningEngine) -> None:
    """Many at a time, so that they share batches; `make fuzz-engine` sends thousands."""
    dice = random.Random(REQUESTS)
    asked = [{**ASK, "max_tokens": 12, **extreme(dice)} for _ in range(REQUESTS)]

    def ask(number: int) -> tuple[int, str]:
        path = "/as/off/v1/chat/completions" if number % 3 == 0 else "/v1/chat/completions"
        answer = httpx.post(engine.url + path, json=asked[number], timeout=120)
        return answer.status_code, answer.text

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(ask, range(REQUESTS)))
    failed = [(asked[i], *answer) for i, answer in enumerate(answers) if answer[0] != 200]
    assert not failed, failed[:3]
    broken = [asked[i] for i, (_, text) in enumerate(answers) if "NaN" in text]
    assert not broken, broken[:3]
    assert engine.held() == 0


@pytest.mark.parametrize("grammar", [{}, {"json_schema": json.dumps({"type": "object"})}])
def test_a_request_whose_logits_overflow_ends_alone(
    engine: RunningEngine, grammar: dict[str, str]
) -> None:
    """Past the bounds of the API, straight into SGLang's sampler: the fence behind them."""

    def overflow() -> Any:
        sampling = {"repetition_penalty": LEAST, "top_p": 0.5, "max_new_tokens": 40, **grammar}
        body = {"input_ids": [1, 2, 3, 4, 5], "sampling_params": sampling}
        return httpx.post(f"{engine.url}/native/generate", json=body, timeout=60).json()

    def usual() -> Any:
        answer = engine.client.chat.completions.create(**ASK, temperature=0)
        return [call.function.arguments for call in answer.choices[0].message.tool_calls or ()]

    alone = usual()
    with ThreadPoolExecutor(8) as pool:
        others = [pool.submit(usual) for _ in range(6)]
        overflown = [pool.submit(overflow) for _ in range(3)]
        assert all(other.result() == alone for other in others)
    reasons = [answer.result()["meta_info"]["finish_reason"] for answer in overflown]
    assert {reason["matched"] for reason in reasons} == {"NaN happened"}


def test_whose_request_it_was_is_told(engine: RunningEngine) -> None:
    from functionary_sgl.engines.generate.meta_info import finish_reason
    from functionary_sgl.errors import EngineError

    with pytest.raises(EngineError, match="overflowed"):
        finish_reason({"type": "stop", "matched": "NaN happened"})


def test_a_clients_stop_string_is_not_taken_for_an_overflow(engine: RunningEngine) -> None:
    asked = {**ASK, "tools": [WEATHER], "stop": ["NaN happened"]}
    answer = engine.http.post("/v1/chat/completions", json=asked)
    assert answer.status_code == 200

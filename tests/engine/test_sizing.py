"""docs/sizing.md counts as SGLang does."""

import json
from pathlib import Path
from typing import Any

import pytest

from functionary_sgl.cli import main
from tests.conftest import WEATHER
from tests.deploy.sizing import NANO, formulas
from tests.engine.conftest import RunningEngine

GIB = 2**30
# As SGLang rounds what it tells, in GiB; and it keeps some tokens more for itself.
ROUNDED = 0.002


def test_keys_and_values_take_what_the_formula_says(engine: RunningEngine) -> None:
    (state,) = engine.http.get("/native/get_server_info").json()["internal_states"]
    usage = state["memory_usage"]
    assert usage["token_capacity"] == 32_768
    expected = usage["token_capacity"] * formulas["kv_bytes_per_token"](NANO, 4)
    assert usage["kvcache"] == pytest.approx(expected / GIB, abs=ROUNDED)


def test_tools_take_what_render_counts(
    engine: RunningEngine, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    body: dict[str, Any] = {
        "model": "functionary-nano",
        "messages": [{"role": "user", "content": "What is the weather for Istanbul?"}],
        "max_tokens": 1,
    }
    counts = []
    for tools in ([WEATHER], []):
        file = tmp_path / "request.json"
        file.write_text(json.dumps(body | {"tools": tools}))
        assert main(["render", "--tokens", str(file)]) == 0
        ids = json.loads(capsys.readouterr().out)
        answer = engine.http.post("/v1/chat/completions", content=file.read_bytes()).json()
        assert answer["usage"]["prompt_tokens"] == len(ids)
        counts.append(len(ids))
    assert counts[0] > counts[1]


def test_equal_beginnings_are_kept_once(engine: RunningEngine) -> None:
    """The second of two requests with the same tools finds them."""
    cached = []
    for city in ("Paris", "Oslo"):
        body = {
            "model": "functionary-nano",
            "messages": [{"role": "user", "content": f"What is the weather for {city}?"}],
            "tools": [WEATHER],
            "cache_salt": "sizing",
        }
        usage = engine.http.post("/v1/chat/completions", json=body).json()["usage"]
        cached.append(usage["prompt_tokens_details"]["cached_tokens"] / usage["prompt_tokens"])
    assert cached[0] < 0.1
    assert cached[1] > 0.5

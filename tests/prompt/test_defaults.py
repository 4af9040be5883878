"""Sampling defaults of checkpoints are numbers that a request could have."""

import json
from pathlib import Path
from typing import Any

import pytest

from functionary_sgl.api.chat.requests import ChatRequest
from functionary_sgl.errors import UsageError
from functionary_sgl.prompt import defaults


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "generation_config.json"


def test_bounds_are_those_of_requests_and_zero() -> None:
    for key, bounds in defaults.BOUNDS.items():
        schema = ChatRequest.model_json_schema()["properties"][key]["anyOf"][0]
        assert bounds.most == schema["maximum"]
        assert bounds.least == schema.get("minimum", schema.get("exclusiveMinimum"))
        # Of checkpoints some have 0 for what is to have no effect.
        assert bounds.above == ("exclusiveMinimum" in schema) or key == "top_p"
        assert bounds.whole == (schema["type"] == "integer")


@pytest.mark.parametrize(
    ("published", "read"),
    [
        ({"temperature": 0, "top_p": 0, "top_k": 0}, {"temperature": 0, "top_p": 1e-6, "top_k": 0}),
        ({"do_sample": False, "temperature": 1.0, "top_k": 50}, {"temperature": 1.0, "top_k": 50}),
        ({"temperature": None, "top_p": None, "top_k": None}, {}),
        ({"top_k": 50.0, "top_p": 1}, {"top_k": 50, "top_p": 1.0}),
        ({"top_k": -1, "min_p": 0}, {"top_k": -1, "min_p": 0}),
        ({"repetition_penalty": 1.05}, {"repetition_penalty": 1.05}),
        ({"eos_token_id": [1, 2], "max_length": "?", "seed": {}}, {}),
    ],
)
def test_what_checkpoints_have_is_taken(
    file: Path, published: dict[str, Any], read: dict[str, float]
) -> None:
    file.write_text(json.dumps(published))
    assert defaults.read(file) == read


def test_without_a_file_there_are_none(file: Path) -> None:
    assert defaults.read(file) == {}


@pytest.mark.parametrize(
    ("key", "value", "allowed"),
    [
        ("temperature", "0.6", "a number from 0 to 2"),
        ("temperature", True, "a number from 0 to 2"),
        ("temperature", -0.1, "a number from 0 to 2"),
        ("temperature", float("nan"), "a number from 0 to 2"),
        ("temperature", float("inf"), "a number from 0 to 2"),
        ("temperature", 10**400, "a number from 0 to 2"),
        ("top_p", 1.5, "a number from 0 to 1"),
        ("top_p", [0.9], "a number from 0 to 1"),
        ("top_k", 0.5, "a whole number from -1 to 2147483647"),
        ("top_k", -2, "a whole number from -1 to 2147483647"),
        ("top_k", 2**31, "a whole number from -1 to 2147483647"),
        ("top_k", float("nan"), "a whole number from -1 to 2147483647"),
        ("top_k", False, "a whole number from -1 to 2147483647"),
        ("min_p", {}, "a number from 0 to 1"),
        ("repetition_penalty", 0, "a number above 0, up to 2"),
        ("repetition_penalty", 2.5, "a number above 0, up to 2"),
    ],
)
def test_what_no_request_could_have_is_refused(
    file: Path, key: str, value: object, allowed: str
) -> None:
    file.write_text(json.dumps({key: value}))
    with pytest.raises(UsageError) as caught:
        defaults.read(file)
    told = str(caught.value)
    assert told.startswith(f"{file}: {key} is ")
    assert told.endswith(f"has to be {allowed}")
    assert len(told) < len(str(file)) + 150

"""Scenarios of responses, the same for OpenAI's Python clients and its Node client, and OpenAI's
Agents SDK, whose agents ask for responses unless they are told otherwise."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.clients.conftest import python_with, told
from tests.serving import Served

HERE = Path(__file__).parent
TEXT = (HERE / "responses.json").read_text(encoding="utf-8")
SCENARIOS: list[dict[str, Any]] = json.loads(TEXT)["scenarios"]


@pytest.fixture
def served(serve: Callable[..., Served]) -> Served:
    """A server that answers all scenarios, each where the user writes its name."""
    replies = [{"match": f"[{s['name']}]", "turn": s["turn"]} for s in SCENARIOS]
    return serve(*replies, *(s["then"] for s in SCENARIOS if "then" in s))


EXPECTED = [[scenario["name"], scenario["expect"]] for scenario in SCENARIOS]


@pytest.mark.parametrize(
    ("requirement", "version"),
    [("openai>=1.109,<2", "1."), ("openai>=2,<3", "2."), ("openai>=3,<4", "3.")],
)
def test_openai_python(
    from_pypi: Callable[[str], Path], served: Served, requirement: str, version: str
) -> None:
    python, environment = python_with(from_pypi(requirement))
    command = [*python, str(HERE / "openai_responses.py"), f"{served.url}/v1"]
    assert told(command, environment, version, TEXT) == EXPECTED


def test_openai_node(openai_node: Path, served: Served) -> None:
    script = str(HERE / "openai_responses.mjs")
    command = ["node", script, f"{served.url}/v1", str(openai_node)]
    assert told(command, {"NO_PROXY": "127.0.0.1"}, "", TEXT) == EXPECTED


def test_openai_agents(from_pypi: Callable[[str], Path], serve: Callable[..., Served]) -> None:
    served = serve(
        {"match": "[agent]", "turn": 'get_weather\n{"city": "Rome"}'},
        {"match": "30 degrees", "turn": "all\nWarm."},
        {"match": "[day]", "turn": 'all\n{"day": "Monday"}'},
        {"match": "[handoff]", "turn": "transfer_to_helper\n{}"},
        {"match": "assistant", "turn": "all\nIt is warm."},
    )
    python, environment = python_with(from_pypi("openai-agents>=0.4,<1"))
    outcomes = told(
        [*python, str(HERE / "openai_agents.py"), f"{served.url}/v1"], environment, "", TEXT
    )
    assert outcomes == {
        "whole": "Warm.",
        "streamed": ["Warm.", "Warm."],
        "structured": "Monday",
        "handed over": "Helper",
    }
    assert set(served.contract.answered) == {("/v1/responses", 200)}

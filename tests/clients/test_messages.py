"""Scenarios of messages, the same for Anthropic's Python client, of old and new, and for its Node
client."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.clients.conftest import python_with, told
from tests.serving import Served

HERE = Path(__file__).parent
TEXT = (HERE / "messages.json").read_text(encoding="utf-8")
SCENARIOS: list[dict[str, Any]] = json.loads(TEXT)["scenarios"]
EXPECTED = [[scenario["name"], scenario["expect"]] for scenario in SCENARIOS]


@pytest.fixture
def served(serve: Callable[..., Served]) -> Served:
    """A server that answers all scenarios, each where the user writes its name."""
    then = [scenario["then"] for scenario in SCENARIOS if "then" in scenario]
    replies = [{"match": f"[{s['name']}]", "turn": s["turn"]} for s in SCENARIOS]
    return serve(*then, *replies)


@pytest.mark.parametrize(
    ("requirement", "version"),
    [("anthropic>=0.49,<1", "0."), ("anthropic>=1,<2", "1."), ("anthropic>=2,<3", "2.")],
)
def test_anthropic_python(
    from_pypi: Callable[[str], Path], served: Served, requirement: str, version: str
) -> None:
    python, environment = python_with(from_pypi(requirement))
    command = [*python, str(HERE / "anthropic_messages.py"), served.url]
    assert told(command, environment, version, TEXT) == EXPECTED


def test_anthropic_node(anthropic_node: Path, served: Served) -> None:
    script = str(HERE / "anthropic_node.mjs")
    command = ["node", script, served.url, str(anthropic_node)]
    assert told(command, {"NO_PROXY": "127.0.0.1"}, "", TEXT) == EXPECTED

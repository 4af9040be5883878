"""Eleven scenarios, the same for OpenAI's Python clients of all generations and its Node client.

The script of each client prints what its user gets to see; see `scenarios.json` for what that is.
"""

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.clients.conftest import python_with
from tests.serving import Served

HERE = Path(__file__).parent
TEXT = (HERE / "scenarios.json").read_text(encoding="utf-8")
SCENARIOS: list[dict[str, Any]] = json.loads(TEXT)["scenarios"]


@pytest.fixture
def served(serve: Callable[..., Served]) -> Served:
    """A server that answers all scenarios, each where the user writes its name."""
    replies = [{"match": f"[{s['name']}]", "turn": s["turn"]} for s in SCENARIOS]
    return serve(*replies, *(s["then"] for s in SCENARIOS if "then" in s))


def check(command: list[str], environment: dict[str, str], version: str) -> None:
    """Run a client's script, which must be of the major `version` and see what is expected."""
    environment = os.environ | environment
    done = subprocess.run(
        command, input=TEXT, capture_output=True, text=True, env=environment, timeout=60
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["version"].startswith(version)
    outcomes = dict(told["outcomes"])
    assert outcomes == {scenario["name"]: scenario["expect"] for scenario in SCENARIOS}


def test_there_are_eleven() -> None:
    assert len({scenario["name"] for scenario in SCENARIOS}) == 11


@pytest.mark.parametrize(
    ("requirement", "version", "script"),
    [
        ("openai>=0.28,<1", "0.28", "openai_0.py"),
        ("openai>=1,<2", "1.", "openai_1.py"),
        ("openai>=2,<3", "2.", "openai_1.py"),
        ("openai>=3,<4", "3.", "openai_1.py"),
    ],
)
def test_openai_python(
    from_pypi: Callable[[str], Path],
    served: Served,
    requirement: str,
    version: str,
    script: str,
) -> None:
    python, environment = python_with(from_pypi(requirement))
    check([*python, str(HERE / script), f"{served.url}/v1"], environment, version)


def test_openai_node(openai_node: Path, served: Served) -> None:
    command = ["node", str(HERE / "openai_node.mjs"), f"{served.url}/v1", str(openai_node)]
    check(command, {"NO_PROXY": "127.0.0.1"}, "")

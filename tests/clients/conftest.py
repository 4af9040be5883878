"""Clients are installed once for a session, each into a folder of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

SECONDS_TO_INSTALL = 120
UV = Path(sys.executable).with_name("uv")


def _installed(command: list[str], what: str) -> None:
    """Run an installer. The tests that need it fail where it does, they are not skipped."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS_TO_INSTALL)
    except (OSError, subprocess.TimeoutExpired) as error:
        pytest.fail(f"{what} cannot be installed for this test: {error}", pytrace=False)
    if done.returncode:
        pytest.fail(
            f"{what} cannot be installed for this test; is its registry in reach?\n{done.stderr}",
            pytrace=False,
        )


def told(command: list[str], environment: dict[str, str], version: str, text: str) -> Any:
    """What a client's script, which must be of the major `version` and is given the `text` of its
    scenarios, has seen."""
    done = subprocess.run(
        command,
        input=text,
        capture_output=True,
        text=True,
        env=os.environ | environment,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["version"].startswith(version)
    return found["outcomes"]


@pytest.fixture(scope="session")
def from_pypi(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Call it with a requirement to have the folder in which that is installed."""
    folders: dict[str, Path] = {}

    def install(requirement: str) -> Path:
        if requirement not in folders:
            folder = tmp_path_factory.mktemp("client")
            command = [str(UV), "pip", "install", "--quiet", "--python", sys.executable]
            _installed([*command, "--target", str(folder), requirement], requirement)
            folders[requirement] = folder
        return folders[requirement]

    return install


@pytest.fixture(scope="session")
def openai_node(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder whose `node_modules` has openai-node."""
    return _from_npm("openai", tmp_path_factory)


@pytest.fixture(scope="session")
def anthropic_node(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder whose `node_modules` has Anthropic's client."""
    return _from_npm("@anthropic-ai/sdk", tmp_path_factory)


def _from_npm(package: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("node")
    command = ["npm", "install", "--loglevel", "error", "--prefix", str(folder), package]
    _installed(command, package)
    return folder


def python_with(folder: Path) -> tuple[list[str], dict[str, str]]:
    """A Python that knows the packages in `folder` and no others: its command and environment."""
    return [sys.executable, "-S"], {"PYTHONPATH": str(folder), "NO_PROXY": "127.0.0.1"}

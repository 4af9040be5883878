"""Servers as processes, which end with the test that started them."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.process import LAUNCHER, Process


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Process]]:
    """Call it with a script, and flags and variables, to have a server that replays it. Its log has
    only what it complains of, unless the flags say otherwise."""
    started: list[Process] = []

    def start(
        script: Any,
        *arguments: str,
        program: tuple[str, ...] = LAUNCHER,
        banner: bool = True,
        **environment: str,
    ) -> Process:
        file = tmp_path / f"script-{len(started)}.json"
        file.write_text(json.dumps(script))
        scripted = ["--engine", "scripted", "--script", str(file), "--port", "0"]
        scripted += ["--request-log", "off"]
        log = tmp_path / f"log-{len(started)}"
        given = [*scripted, *arguments]
        started.append(Process(log, given, environment, program, banner))
        return started[-1]

    yield start
    for process in started:
        process.process.kill()
        process.process.communicate()

"""Servers as processes, which end with the test that started them."""

import json
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from functionary_sgl.api.recording import LOOKS, WORK
from tests.cli.process import LAUNCHER, Process


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    """A command that is run in this process sets its log up; the tests behind it have their own."""
    loggers = logging.root, WORK, LOOKS
    before = [(logger.handlers[:], logger.level) for logger in loggers]
    yield
    for logger, (handlers, level) in zip(loggers, before, strict=True):
        logger.handlers[:] = handlers
        logger.setLevel(level)


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

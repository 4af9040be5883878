"""A server that replays a script, as a process with any flags and variables."""

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from tests.paths import ROOT

HELLO = {"replies": [{"match": "", "turn": "all\nHello!"}]}


def scripted(directory: Path, **more: str) -> dict[str, str]:
    """The environment in which any server of ours greets, without an engine; and `more` of it."""
    script = directory / "script.json"
    script.write_text(json.dumps(HELLO))
    ours = {"FUNCTIONARY_ENGINE": "scripted", "FUNCTIONARY_SCRIPT": str(script)}
    return {**os.environ, "PYTHONPATH": str(ROOT), **ours, **more}


@contextlib.contextmanager
def served(arguments: Sequence[str], environment: Mapping[str, str]) -> Iterator[str]:
    """The address of `functionary-sgl` with these arguments; then it is told to end, and does."""
    command = [sys.executable, "-m", "functionary_sgl", *arguments]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            address = [process.stdout.readline() for _ in range(4)][2]
            assert address, "it did not start"
            yield address.split()[-1].removesuffix("/v1")
        finally:
            process.terminate()
    assert process.returncode == 0

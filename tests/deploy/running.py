"""A server that replays a script whatever its flags are: variables say so."""

import contextlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tests.cli.process import Process

HELLO: dict[str, Any] = {"match": "", "turn": "all\nHello!"}


def scripted(directory: Path, reply: dict[str, Any] = HELLO) -> dict[str, str]:
    """The variables with which any server of ours gives this reply, without an engine."""
    script = directory / "script.json"
    script.write_text(json.dumps({"replies": [reply]}))
    return {"FUNCTIONARY_ENGINE": "scripted", "FUNCTIONARY_SCRIPT": str(script)}


@contextlib.contextmanager
def served(
    directory: Path, arguments: Sequence[str], reply: dict[str, Any] = HELLO, **variables: str
) -> Iterator[str]:
    """The address of such a server behind `functionary-sgl`; then it is told to end, and does."""
    server = Process(
        directory / "log",
        [*arguments, "--port=0"],
        scripted(directory, reply) | variables,
        ("-m", "functionary_sgl"),
    )
    try:
        yield server.url
    finally:
        server.process.terminate()
        code, _ = server.ended()
    assert code == 0

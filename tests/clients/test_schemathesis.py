"""Whatever our own OpenAPI document allows and forbids, nothing that is sent gets a 500.

`make fuzz-api` sends many times as much.
"""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

from tests.clients.conftest import python_with
from tests.serving import Served

EXAMPLES = os.environ.get("SCHEMATHESIS_EXAMPLES", "40")


def test_no_request_is_answered_with_a_server_error(
    from_pypi: Callable[[str], Path], serve: Callable[..., Served], tmp_path: Path
) -> None:
    served = serve({"turn": 'all\nHello>>>f\n{"a": 1}'})
    python, environment = python_with(from_pypi("schemathesis>=4,<5"))
    command = [*python, "-m", "schemathesis.cli", "run", f"{served.url}/openapi.json"]
    command += ["--url", served.url]
    command += ["--checks", "not_a_server_error", "--max-examples", EXAMPLES, "--warnings", "off"]
    done = subprocess.run(
        command, capture_output=True, text=True, env=os.environ | environment, cwd=tmp_path
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for path in ("/v1/chat/completions", "/v1/responses", "/v1/messages"):
        assert served.contract.answered[path, 200], f"no request to {path} reached the model"

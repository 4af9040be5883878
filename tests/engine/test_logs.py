"""What clients send is in no log, those of the engine's processes included."""

import argparse
import json
import os
import subprocess
import sys

from functionary_sgl.cli import logs
from tests.engine.conftest import RunningEngine
from tests.marks import PLAIN, Marks

HEADERS = {"content-type": "application/json"}


def test_nothing_of_a_request_is_in_the_log(engine: RunningEngine) -> None:
    marks, model = Marks(), engine.banner[0].split()[1]
    bodies = [marks.body(model) | {"stream": stream, "max_tokens": 20} for stream in (False, True)]
    good = [json.dumps(body).encode() for body in bodies]
    for content, statuses in [
        *((content, (200,)) for content in good),
        *((content, (400, 404)) for content in marks.bad_bodies(model)),
    ]:
        answer = engine.http.post("/v1/chat/completions", content=content, headers=HEADERS)
        assert answer.status_code in statuses, answer.text
    assert PLAIN not in engine.log.read_text()


def test_the_engines_processes_write_json_too() -> None:
    """Each of them sets its log up as here."""
    code = (
        "import logging; from sglang.srt.utils import configure_logger; configure_logger(None); "
        "logging.getLogger('sglang').error('it failed')"
    )
    options = argparse.Namespace(log_format="json", log_level="error")
    with logs.json_of_children(options):
        ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    line = json.loads(ran.stderr.splitlines()[-1])
    assert (line["level"], line["logger"], line["message"]) == ("error", "sglang", "it failed")
    assert "SGLANG_LOGGING_CONFIG_PATH" not in os.environ

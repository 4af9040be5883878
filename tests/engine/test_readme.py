"""The README's request, run against a real SGLang."""

import contextlib
import io
import re

import pytest

from tests.engine.conftest import RunningEngine
from tests.paths import ROOT
from tests.test_docs import blocks


@pytest.mark.parametrize("stream", [False, True])
def test_the_readmes_request(engine: RunningEngine, stream: bool) -> None:
    (code,) = blocks("python", ROOT / "README.md")
    code = code.replace("http://localhost:8000", engine.url)
    if stream:
        code, _ = code.replace('tool_choice="auto"', 'tool_choice="auto", stream=True').split(
            "print("
        )
        code += "print(*(chunk.choices[0].delta for chunk in answer))"
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(code, {})
    if stream:
        assert "name='get_current_weather'" in printed.getvalue()
        assert "arguments='{" in printed.getvalue()
    else:
        pattern = r"Function\(arguments='\{\"location\": \".*\"\}', name='get_current_weather'\)\n"
        assert re.fullmatch(pattern, printed.getvalue())

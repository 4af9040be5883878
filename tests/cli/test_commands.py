import re
from importlib.metadata import version

import pytest

from functionary_sgl.cli import main
from functionary_sgl.turns import FORMATS


def test_templates_are_listed_with_their_models(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["templates"]) == 0
    listed = capsys.readouterr().out
    assert re.match(r"v3\.llama3 +meetkai/functionary-small-v3\.2\n", listed)
    for name in FORMATS:
        assert f"\n{name} " in "\n" + listed
    for model in ("functionary-medium-v3.0", "small-v3.1", "small-v2.5", "7b-v2.1", "medium-v2.4"):
        assert model in listed


def test_versions_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["version"]) == 0
    out = capsys.readouterr().out
    assert version("functionary-sgl") in out
    assert version("sglang") in out


@pytest.mark.parametrize("arguments", [[], ["--help"], ["help"]])
def test_usage_is_told(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 0
    assert "serve" in capsys.readouterr().out


def test_an_unknown_command_is_a_mistake(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sreve"]) == 2
    assert "unknown command 'sreve'" in capsys.readouterr().err

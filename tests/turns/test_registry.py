"""Formats of other packages, with the one in `examples/`, installed as users install packages."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from functionary_sgl.cli import main
from functionary_sgl.errors import UsageError
from functionary_sgl.prompt import checkpoint
from functionary_sgl.prompt.prompter import Prompter
from functionary_sgl.turns import FORMATS, registry
from tests.conftest import TINY
from tests.paths import ROOT
from tests.replay import TOOLS, replay

EXAMPLE = ROOT / "examples" / "arrow-format"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory of packages that has the example's."""
    directory = tmp_path_factory.mktemp("site")
    source = shutil.copytree(EXAMPLE, tmp_path_factory.mktemp("source") / "arrow-format")
    options = ["--quiet", "--no-deps", "--no-index", "--no-build-isolation", "--target"]
    pip = [sys.executable, "-m", "pip", "install", *options, str(directory), str(source)]
    subprocess.run(pip, check=True)
    return directory


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    registry.formats.cache_clear()
    yield
    registry.formats.cache_clear()


@pytest.fixture
def arrow(site: Path, monkeypatch: pytest.MonkeyPatch) -> Prompter:
    monkeypatch.syspath_prepend(str(site))
    format = registry.formats()["arrow"]
    tokenizer = checkpoint.load(str(TINY)).tokenizer
    return Prompter(format, tokenizer.with_control(format.control_tokens))


def test_it_is_listed(arrow: Prompter, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["templates"]) == 0
    assert "acme/arrow-7b" in capsys.readouterr().out


def test_it_is_shown(arrow: Prompter, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "request.json"
    file.write_text(json.dumps({"model": "m", "messages": [{"role": "user", "content": "Hi"}]}))
    assert main(["render", str(file), "--template", "arrow"]) == 0
    assert capsys.readouterr().out == "<|turn|>user\nHi<|end|><|turn|>assistant\n"


@pytest.mark.parametrize("cut", [1, "char", "all"])
def test_its_turns_are_answers(arrow: Prompter, cut: object) -> None:
    turn = 'Well.<|arrow|>get_weather {"city": "Rome"}<|arrow|>now {}<|end|>'
    calls = [("get_weather", '{"city": "Rome"}'), ("now", "{}")]
    assert replay(arrow, turn, cut, tools=TOOLS).said == ("Well.", calls)
    required = replay(arrow, turn.removeprefix("Well."), cut, tools=TOOLS, tool_choice="required")
    assert required.said == (None, calls)


def installed(directory: Path, target: str) -> None:
    """What an installer leaves of a package with one entry point."""
    info = directory / "other-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: other\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[{registry.ENTRY_POINTS}]\nother = {target}\n")


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("functionary_sgl.turns.formats.v2:FORMAT", "the format v2 of .* exists already"),
        ("functionary_sgl.turns.formats.v2:turn", "is no Format"),
        ("functionary_sgl.turns.formats.v2:MISSING", "cannot be loaded"),
    ],
)
def test_what_cannot_be_used_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, target: str, message: str
) -> None:
    installed(tmp_path, target)
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(UsageError, match=message):
        registry.formats()
    assert "v2" in FORMATS

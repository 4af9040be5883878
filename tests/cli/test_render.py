import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from functionary_sgl.cli import main
from functionary_sgl.prompt import checkpoint
from functionary_sgl.turns import FORMATS
from tests.paths import DATA

CASES = {
    case["case"]: case
    for case in json.loads((DATA / "prompts.json").read_text())["cases"]
    if case["version"] == "v3.llama3"
}
CASE = CASES["full conversation, 2 tools, auto"]
REFUSED = CASES["named unknown function"]


@pytest.fixture
def request_file(tmp_path: Path) -> str:
    file = tmp_path / "request.json"
    file.write_text(json.dumps(CASE["request"]))
    return str(file)


@pytest.mark.parametrize(
    "which", [[], ["--template", "v3.llama3"], ["--model-path", str(checkpoint.EMBEDDED)]]
)
def test_the_exact_prompt_is_printed(
    request_file: str, which: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["render", request_file, *which]) == 0
    assert capsys.readouterr() == (CASE["prompt"], "")


@pytest.mark.parametrize("template", [name for name, f in FORMATS.items() if f.template_text])
def test_every_template_of_ours_can_be_shown(
    request_file: str, template: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["render", request_file, "--template", template]) == 0
    cases = json.loads((DATA / "prompts.json").read_text())["cases"]
    expected = [
        case["prompt"]
        for case in cases
        if (case["version"], case["case"]) == (template, CASE["case"])
    ]
    assert capsys.readouterr().out in expected or template == "v1"


@pytest.mark.parametrize("template", [name for name, f in FORMATS.items() if not f.template_text])
def test_others_ask_for_the_model(
    request_file: str, template: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["render", request_file, "--template", template]) == 2
    assert "give a --model-path" in capsys.readouterr().err


def test_token_ids_are_printed(request_file: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["render", request_file, "--tokens"]) == 0
    ids = json.loads(capsys.readouterr().out)
    tokenizer = checkpoint.load(str(checkpoint.EMBEDDED)).tokenizer
    assert tokenizer.decode(ids) == "<|begin_of_text|>" + CASE["prompt"]


def test_lines_become_lines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "requests.jsonl"
    requests = [CASE["request"], REFUSED["request"]]
    file.write_text("\n".join([*map(json.dumps, requests), "", "{"]))
    assert main(["render", str(file)]) == 0
    first, second, third = map(json.loads, capsys.readouterr().out.splitlines())
    assert first == {"prompt": CASE["prompt"]}
    assert second["error"]["param"] == "tool_choice"
    assert "not valid JSON" in third["error"]["message"]


@pytest.mark.parametrize(
    ("arguments", "content", "reason"),
    [
        (["--template", "v9"], CASE["request"], "unknown template 'v9'"),
        (["--model-path", "/none"], CASE["request"], "there is no model directory /none"),
        ([], REFUSED["request"], "no function named zz"),
        ([], {"model": "m"}, "Missing required parameter: 'messages'"),
        (["--what"], CASE["request"], "unrecognized arguments: --what"),
    ],
)
def test_mistakes_are_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: Any, content: Any, reason: str
) -> None:
    file = tmp_path / "request.json"
    file.write_text(json.dumps(content))
    assert main(["render", str(file), *arguments]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert reason in err
    assert len(err.splitlines()) == 1


def test_a_missing_file_is_named_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["render", "/none.json"]) == 2
    assert "/none.json cannot be read" in capsys.readouterr().err


def test_rendering_brings_no_torch(request_file: str) -> None:
    code = (
        "import sys; from functionary_sgl.cli import main; "
        f"main(['render', {request_file!r}, '--template', 'v3.llama3']); "
        "sys.exit('torch' in sys.modules or 'transformers' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert done.returncode == 0
    assert done.stdout.decode() == CASE["prompt"]

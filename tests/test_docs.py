"""Every example in the documents does what the document says.

Python is run, JSON is what it is said to be, commands are ones that exist. The README's request is
run against a real SGLang in `tests/engine/test_readme.py`.
"""

import asyncio
import itertools
import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from functionary_sgl.cli import engine as engine_command
from functionary_sgl.cli import serve as serve_command
from functionary_sgl.engines.scripted import Script
from tests.deploy import documented
from tests.paths import ROOT
from tests.serving import Served, scripted_model, serving

DOCUMENTS = [
    *(ROOT / name for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")),
    ROOT / "nano" / "README.md",
    *sorted((ROOT / "docs").glob("*.md")),
]
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(language: str, *documents: Path) -> list[str]:
    found = [m for d in documents or DOCUMENTS for m in _BLOCK.findall(d.read_text())]
    return [text for kind, text in found if kind == language]


def test_the_scripted_engine_answers_from_python() -> None:
    (code,) = blocks("python", ROOT / "docs" / "scripted-engine.md")
    names: dict[str, Any] = {}
    exec(code, names)
    assert asyncio.run(names["ask"]()) == "Hello!"


def test_the_example_script_does_what_it_says(prompter: Any) -> None:
    (text,) = blocks("json", ROOT / "docs" / "scripted-engine.md")
    replies = Script.model_validate_json(text).replies
    model = scripted_model(prompter, *(reply.model_dump() for reply in replies))
    with serving(model) as served:
        assert say(served, "Hello?") == "Hello!"
        assert say(served, "Tell me slowly.") == "One moment ..."
        with pytest.raises(Exception, match="failed"):
            say(served, "Will it break?")


@pytest.mark.parametrize(
    "block",
    [
        *blocks("json", ROOT / "docs" / "requests.md"),
        *blocks("json", ROOT / "docs" / "tool-choice.md"),
    ],
)
def test_fields_of_requests_are_taken(prompter: Any, block: str) -> None:
    body = {"model": "m", "messages": [{"role": "user", "content": "Hi"}], **json.loads(block)}
    with serving(scripted_model(prompter, {"turn": "all\nHello!"})) as served:
        answer = served.http.post("/v1/chat/completions", json=body).raise_for_status()
    assert answer.json()["choices"][0]["finish_reason"] == "stop"


@pytest.mark.parametrize("block", blocks("json", ROOT / "docs" / "responses.md"))
def test_fields_of_responses_are_taken(prompter: Any, block: str) -> None:
    with serving(scripted_model(prompter, {"turn": "all\nHello!"})) as served:
        answer = served.http.post("/v1/responses", json=json.loads(block)).raise_for_status()
    assert answer.json()["status"] == "completed"


@pytest.mark.parametrize("block", blocks("json", ROOT / "docs" / "messages.md"))
def test_fields_of_messages_are_taken(prompter: Any, block: str) -> None:
    body = json.loads(block)
    with serving(scripted_model(prompter, {"turn": "all\nHello!"})) as served:
        if body.get("type") == "error":
            answer = served.http.post("/v1/messages", json={"messages": []})
            assert answer.json().keys() == body.keys()
            assert answer.json()["error"].keys() == body["error"].keys()
            return
        answer = served.http.post("/v1/messages", json=body).raise_for_status()
        assert answer.json()["stop_reason"] == "end_turn"
        counted = served.http.post("/v1/messages/count_tokens", json=body).raise_for_status()
        assert counted.json()["input_tokens"] == answer.json()["usage"]["input_tokens"]


def test_texts_and_tokens_are_as_described(prompter: Any) -> None:
    completion, tokens = blocks("json", ROOT / "docs" / "completions.md")
    with serving(scripted_model(prompter, {"turn": " time"})) as served:
        for path, block in (("completions", completion), ("tokenize", tokens)):
            answer = served.http.post(f"/v1/{path}", json=json.loads(block)).raise_for_status()
            assert answer.json()["choices" if path == "completions" else "token_strs"]


def test_the_walk_through_a_format_shows_the_example() -> None:
    document, example = ROOT / "docs" / "adding-a-format.md", ROOT / "examples" / "arrow-format"
    source = (example / "arrow_format.py").read_text()
    for block in blocks("python", document):
        assert block in source
    (entry_point,) = blocks("toml", document)
    assert entry_point in (example / "pyproject.toml").read_text()


def say(served: Served, text: str) -> str | None:
    messages: Any = [{"role": "user", "content": text}]
    answer = served.client.chat.completions.create(model="m", messages=messages)
    return answer.choices[0].message.content


MAKE_TARGETS = re.findall(r"^([a-z-]+):.*##", (ROOT / "Makefile").read_text(), re.MULTILINE)
COMMANDS = [line for block in blocks("sh") for line in block.strip().splitlines()]
OF_SGLANG = {
    *("--tp", "--tp-size", "--dp-size", "--nnodes", "--node-rank", "--dist-init-addr"),
    *("--enable-lora", "--max-lora-rank", "--lora-target-modules"),
}


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_exist(command: str) -> None:
    words = shlex.split(command)
    words = list(itertools.dropwhile(re.compile(r"FUNCTIONARY_\w+=").match, words))
    if words[0] == "make":
        assert words[1] in MAKE_TARGETS
        arguments = shlex.split(words[2].removeprefix("ARGS=")) if words[2:] else []
    elif words[0] == ".venv/bin/python":
        assert words[1:3] == ["-m", "pytest"]
        arguments = [word for word in words[3:] if word.endswith(".py")]
        assert all((ROOT / file).is_file() for file in arguments)
    elif words[0] == "functionary-sgl":
        arguments = words[2:]
    else:
        arguments = documented.served(words)
    if words[1:2] == ["engine"]:
        _, others = engine_command._parser().parse_known_args(arguments)
        assert not others
    if "serve" in words:
        _, others = serve_command._parser().parse_known_args(arguments)
        assert {word for word in others if word.startswith("--")} <= OF_SGLANG


def name_of(document: Path) -> str:
    return str(document.relative_to(ROOT))


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_links_lead_somewhere(document: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", document.read_text()):
        assert target.startswith("https://") or (document.parent / target).exists(), target


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_files_that_are_named_exist(document: Path) -> None:
    for name in re.findall(r"`((?:\w+/)+\w+\.(?:py|jinja))`", document.read_text()):
        assert (ROOT / name).exists() or (ROOT / "functionary_sgl" / name).exists(), name


PROMISES = re.findall(
    r"^\| (?!promise)(.+?) \| `(tests/[\w/]+\.py)` `(test_\w+)` \|$",
    (ROOT / "docs" / "operations.md").read_text(),
    re.MULTILINE,
)


@pytest.mark.parametrize(("file", "test"), [(file, test) for _, file, test in PROMISES])
def test_a_promise_has_its_test(file: str, test: str) -> None:
    assert f"\ndef {test}(" in (ROOT / file).read_text()


def test_each_promise_names_one() -> None:
    text = (ROOT / "docs" / "operations.md").read_text()
    tables = re.findall(r"^\| promise \| test \|\n\|---\|---\|\n((?:\|.*\n)+)", text, re.MULTILINE)
    rows = [row for table in tables for row in table.splitlines()]
    assert len(rows) == len(PROMISES) > 20

"""Broken files of a model: one line that names the file and exit code 2, or they do no harm."""

import argparse
import itertools
import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from functionary_sgl.cli import main, serve
from functionary_sgl.engines.sglang import launch
from functionary_sgl.prompt.checkpoint import EMBEDDED
from functionary_sgl.prompt.defaults import BOUNDS
from functionary_sgl.tokenizer import Tokenizer
from functionary_sgl.turns import FORMATS
from tests.conftest import TINY

ADAPTER = EMBEDDED.parent / "nano-pirate"
SCRIPT = {"replies": [{"match": "", "turn": "all\nHello!"}]}
REQUEST = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}
TEMPLATE = "{{ bos_token }}{% for m in messages %}{{ m.content }}<tool_call>{% endfor %}"

# All files that are read, and whether there has to be one.
NEEDED = {"tokenizer.json", "config.json", "model.safetensors", "adapter_config.json"}
PROMPT_FILES = (
    *("tokenizer.json", "tokenizer_config.json", "generation_config.json"),
    "chat_template.jinja",
)
ENGINE_FILES = (
    *("config.json", "special_tokens_map.json", "added_tokens.json", "preprocessor_config.json"),
    *("model.safetensors", "model.safetensors.index.json", "adapter_config.json"),
)
CONTENTS = {
    "empty": b"",
    "a list": b"[]",
    "a text": b'"x"',
    "null": b"null",
    "a number": b"1",
    "deep lists": b"[" * 100_000,
    "deep objects": b'{"a":' * 100_000,
    "a huge number": b'{"a": ' + b"1" * 5_000 + b"}",
    "a byte order mark": b"\xef\xbb\xbf{}",
    "Git LFS": b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n",
}
PLACED = ("directory", "link to nothing", "link to itself", "missing", "cut", "no UTF-8")
VALUES = [
    *(None, True, False, 0, -1, 0.5, 10**400, float("nan"), float("inf")),
    *("", "x", "\ud800", [], [1], [None], ["x"], [{"name": 1, "template": "x"}]),
    *({}, {"x": 1}, {"content": 1}, [{}], [[]]),
]


def small_tokenizer() -> str:
    """That of the embedded model with few words, and with the tokens of more formats."""
    definition = json.loads((EMBEDDED / "tokenizer.json").read_text())
    model = definition["model"]
    model["merges"] = []
    model["vocab"] = {token: i for token, i in model["vocab"].items() if i < 256}
    for index, token in enumerate(definition["added_tokens"]):
        token["id"] = len(model["vocab"]) + index
    tokenizer = Tokenizer(json.dumps(definition))
    return tokenizer.with_control(FORMATS["hermes"].control_tokens).definition


TOKENIZER = small_tokenizer()


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model with all the files that may be read, and with an adapter, a script and a request."""
    model = tmp_path_factory.mktemp("whole") / "model"
    shutil.copytree(TINY, model)
    (model / "tokenizer.json").write_text(TOKENIZER)
    (model / "chat_template.jinja").write_text(TEMPLATE)
    shutil.copy(ADAPTER / "adapter_config.json", model)
    (model / "adapter_model.safetensors").symlink_to(ADAPTER / "adapter_model.safetensors")
    config = json.loads((model / "config.json").read_text())
    nano = json.loads((EMBEDDED / "config.json").read_text())
    config["hidden_size"] = nano["hidden_size"]
    tokens = json.loads((model / "tokenizer_config.json").read_text())
    for name, content in {
        "config.json": config,
        "tokenizer_config.json": tokens | {"chat_template": TEMPLATE},
        "special_tokens_map.json": {"bos_token": "<|begin_of_text|>"},
        "added_tokens.json": {},
        "preprocessor_config.json": {},
        "model.safetensors.index.json": {"weight_map": {"w": "model.safetensors"}},
        "script.json": SCRIPT,
        "request.json": REQUEST,
    }.items():
        (model / name).write_text(json.dumps(content))
    return model


@pytest.fixture
def model(whole: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return Path(shutil.copytree(whole, tmp_path / "model", symlinks=True))


class Started(Exception):
    """The engine would start now."""


def add_few_flags(parser: argparse.ArgumentParser) -> None:
    """Those of SGLang's flags that are looked at before it is imported, which takes seconds."""
    for flag in ("--model-path", "--tokenizer-path", "--served-model-name", "--host", "--port"):
        parser.add_argument(flag)
    for flag in ("--context-length", "--log-level", "--grammar-backend"):
        parser.add_argument(flag)
    parser.add_argument("--lora-paths", nargs="*")
    parser.add_argument("--load-format", default="auto")
    parser.add_argument("--json-model-override-args", default="{}")
    parser.set_defaults(enable_lora=None, device=None, dtype="auto", tp_size=1, dp_size=1)
    parser.set_defaults(pp_size=1, speculative_algorithm=None, enable_mixed_chunk=False)
    parser.set_defaults(node_rank=0, max_queued_requests=None, attention_backend=None)
    parser.set_defaults(prefill_attention_backend=None, decode_attention_backend=None)


Outcome = Callable[..., str]


@pytest.fixture
def outcome(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Outcome:
    """What a command says of its files; empty if it would serve, or did what it was asked."""

    def started(*_: object) -> None:
        raise Started

    def outcome(*argv: object) -> str:
        try:
            code = main([str(argument) for argument in argv])
        except Started:
            code = 0
        out, err = capsys.readouterr()
        if code == 0:
            assert err == ""
            return ""
        assert code == 2
        assert out == ""
        assert err.startswith("functionary-sgl: ")
        assert err.count("\n") == 1
        return err

    monkeypatch.setattr(serve, "run", lambda *_: 0)
    monkeypatch.setattr(launch, "add_flags", add_few_flags)
    monkeypatch.setattr(launch, "_started", started)
    return outcome


def render(model: Path) -> list[object]:
    return ["render", model / "request.json", "--model-path", model, "--template", "hermes"]


def scripted(model: Path) -> list[object]:
    script = ["--engine", "scripted", "--script", model / "script.json", "--template", "hermes"]
    return ["serve", "--port", "0", "--model-path", model, *script]


def served(model: Path) -> list[object]:
    flags = ["--lora-modules", f"a={model}", "--template", "hermes"]
    return ["serve", "--port", "0", "--model-path", model, *flags]


def damage(file: Path, how: str) -> None:
    content = file.read_bytes()
    file.unlink()
    if how == "directory":
        file.mkdir()
    elif how == "link to nothing":
        file.symlink_to(file.with_name("nothing"))
    elif how == "link to itself":
        file.symlink_to(file)
    elif how == "cut":
        file.write_bytes(content[: len(content) // 2])
    elif how == "no UTF-8":
        file.write_bytes(content[: len(content) // 2] + b"\xff" + content[len(content) // 2 :])
    elif how != "missing":
        file.write_bytes(CONTENTS[how])


def harmless(name: str, how: str) -> bool:
    """What need not be told: a file that may be missing is, or one that is what it may be."""
    if how == "missing":
        return name not in NEEDED
    if name == "chat_template.jinja":
        return how == "cut" or (how in CONTENTS and how != "empty")
    return False


@pytest.mark.parametrize("how", [*CONTENTS, *PLACED])
@pytest.mark.parametrize("name", PROMPT_FILES)
def test_a_broken_file_of_prompts_is_named_in_one_line(
    model: Path, outcome: Outcome, name: str, how: str
) -> None:
    damage(model / name, how)
    for command in (render(model), scripted(model), served(model)):
        told = outcome(*command)
        assert (
            str(model / name) in told
            or (not told and harmless(name, how))
            or (how == "missing" and name in NEEDED and name in told)
        )


@pytest.mark.parametrize("how", [*CONTENTS, *PLACED])
@pytest.mark.parametrize("name", ENGINE_FILES)
def test_a_broken_file_of_the_engine_is_named_before_it_starts(
    model: Path, outcome: Outcome, name: str, how: str
) -> None:
    assert outcome(*render(model)) == outcome(*scripted(model)) == outcome(*served(model)) == ""
    damage(model / name, how)
    told = outcome(*served(model))
    assert name in told or (not told and harmless(name, how))
    assert outcome(*render(model)) == ""  # which has no use for it


@pytest.mark.parametrize("how", [*CONTENTS, *PLACED])
@pytest.mark.parametrize("name", ["script.json", "request.json"])
def test_a_broken_script_or_request_is_named(
    model: Path, outcome: Outcome, name: str, how: str
) -> None:
    damage(model / name, how)
    told = outcome(*(scripted if name == "script.json" else render)(model))
    assert told
    assert name == "request.json" or name in told


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "chat_template.jinja"])
@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_named(model: Path, outcome: Outcome, name: str) -> None:
    (model / name).chmod(0)
    assert f"{model / name} cannot be read: Permission denied" in outcome(*served(model))


READ = {
    "tokenizer_config.json": ["chat_template", "bos_token", "eos_token", "pad_token", "tokenizer"],
    "generation_config.json": [*BOUNDS, "eos_token_id"],
    "config.json": ["architectures", "text_config", "hidden_size"],
    "special_tokens_map.json": ["bos_token"],
    "model.safetensors.index.json": ["weight_map", "metadata"],
    "adapter_config.json": ["r", "lora_alpha", "target_modules", "peft_type", "rank_pattern"],
}


@pytest.mark.parametrize("name", READ)
def test_values_of_all_kinds_in_all_places(model: Path, outcome: Outcome, name: str) -> None:
    whole = json.loads((model / name).read_text())
    (model / "chat_template.jinja").unlink()
    commands = (render, scripted, served) if name in PROMPT_FILES else (served,)
    for key, value in itertools.product(READ[name], VALUES):
        (model / name).write_text(json.dumps(whole | {key: value}))
        for command in commands:
            told = outcome(*command(model))
            named = name in told or "chat template" in told or "the adapter a" in told
            assert not told or named, (key, value)


@pytest.mark.parametrize("key", ["bos_token", "eos_token", "pad_token"])
@pytest.mark.parametrize("value", [5, ["x"], {"content": 1}, {}, True, "\ud800"])
def test_a_special_token_is_a_text(model: Path, outcome: Outcome, key: str, value: object) -> None:
    (model / "tokenizer_config.json").write_text(json.dumps({key: value}))
    assert f"tokenizer_config.json: {key} has to be a text" in outcome(*render(model))


@pytest.mark.parametrize("value", [None, False, "", "<s>", {"content": "<s>", "special": True}])
def test_a_special_token_may_be_missing(model: Path, outcome: Outcome, value: object) -> None:
    (model / "tokenizer_config.json").write_text(json.dumps({"bos_token": value}))
    assert outcome(*render(model)) == ""


@pytest.mark.parametrize(
    "template",
    [5, True, [5], [{"name": "default"}], [{"name": 1, "template": "x"}], {"default": 1}, "\ud800"],
)
def test_a_template_of_another_kind_is_named(
    model: Path, outcome: Outcome, template: object
) -> None:
    (model / "chat_template.jinja").unlink()
    (model / "tokenizer_config.json").write_text(json.dumps({"chat_template": template}))
    assert "tokenizer_config.json: chat_template has to be a text" in outcome(*render(model))


@pytest.mark.parametrize(
    "template", ["{{", "{% if %}", "{{ a|nofilter }}", "{% for %}", "{{" + "(" * 5000, "{% x %}"]
)
@pytest.mark.parametrize("file", ["chat_template.jinja", "tokenizer_config.json"])
def test_a_template_that_does_not_compile_is_told_at_the_start(
    model: Path, outcome: Outcome, template: str, file: str
) -> None:
    (model / "chat_template.jinja").unlink()
    content = template if file.endswith(".jinja") else json.dumps({"chat_template": template})
    (model / file).write_text(content)
    for command in (render(model), scripted(model), served(model)):
        told = outcome(*command)
        assert str(model / file) in told
        assert "no template that can be used" in told


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where something can be put into a JSON value in the place of something else."""
    if path:
        yield path
    if isinstance(value, dict):
        for key in list(value)[:8]:
            yield from places(value[key], (*path, key))
    elif isinstance(value, list):
        for index in range(min(3, len(value))):
            yield from places(value[index], (*path, index))


PLACES = list(places(json.loads(TOKENIZER)))


@given(st.sampled_from(PLACES), st.sampled_from(VALUES), st.booleans())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_tokenizer_with_anything_in_any_place(
    model: Path, outcome: Outcome, place: tuple[Any, ...], value: object, gone: bool
) -> None:
    definition = json.loads(TOKENIZER)
    parent = definition
    for key in place[:-1]:
        parent = parent[key]
    if gone:
        del parent[place[-1]]
    else:
        parent[place[-1]] = value
    (model / "tokenizer.json").write_text(json.dumps(definition))
    for command in (render(model), scripted(model)):
        told = outcome(*command)
        assert not told or "tokenizer" in told


@pytest.mark.parametrize("value", [{"a": 1}, [1], [{}], "x", 5, [{"id": -1, "content": "x"}]])
def test_added_tokens_are_a_list_of_tokens(model: Path, outcome: Outcome, value: object) -> None:
    definition = json.loads(TOKENIZER) | {"added_tokens": value}
    (model / "tokenizer.json").write_text(json.dumps(definition))
    assert str(model / "tokenizer.json") in outcome(*render(model))


def test_a_token_that_the_tokenizer_does_not_define_is_named(model: Path, outcome: Outcome) -> None:
    """The library panics, and with several of these ends the process."""
    definition = json.loads(TOKENIZER)
    definition["post_processor"] = {
        "type": "Sequence",
        "processors": [definition["post_processor"]],
    }
    definition["post_processor"]["processors"][0]["special_tokens"] = {}
    (model / "tokenizer.json").write_text(json.dumps(definition))
    assert "does not say what '<|begin_of_text|>' is" in outcome(*render(model))


def test_a_tokenizer_with_ids_that_the_model_lacks_is_named(
    model: Path, outcome: Outcome, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such an id in a request would take the engine down."""
    definition = json.loads(TOKENIZER)
    bounds = {"vocabulary_size": 1_000_000, "most_running": None, "most_waiting": None}
    started = SimpleNamespace(**bounds, adapters={}, takes_turns=True)
    monkeypatch.setattr(launch, "_started", lambda *_: started)
    assert outcome(*served(model)) == ""
    next(t for t in definition["added_tokens"] if t["special"])["id"] = 1_000_000
    (model / "tokenizer.json").write_text(json.dumps(definition))
    assert "the tokenizer has ids up to 1000000, the model 1000000 ids" in outcome(*served(model))


@pytest.mark.parametrize("path", ["x" * 5000, "a/" * 3000, "~nobody-of-this-name/x", "./none", "~"])
def test_paths_that_lead_nowhere(outcome: Outcome, path: str) -> None:
    assert path[:100] in outcome("serve", "--port", "0", "--model-path", path)


def test_a_name_of_two_lines_is_told_in_one(tmp_path: Path, outcome: Outcome) -> None:
    assert "there is no model directory" in outcome("render", "x", "--model-path", "/a\nb")

"""A model whose files are not whole is refused in a sentence, before SGLang starts."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from functionary_sgl.engines.sglang import weights
from functionary_sgl.errors import UsageError
from functionary_sgl.prompt.checkpoint import EMBEDDED
from tests.conftest import TINY

WEIGHTS = "model.safetensors"
INDEX = "model.safetensors.index.json"


@pytest.fixture
def model(tmp_path: Path) -> Path:
    shutil.copy(EMBEDDED / "config.json", tmp_path)
    save_file({"a": torch.zeros(2, 3), "b": torch.zeros(4)}, tmp_path / WEIGHTS)
    return tmp_path


def refusal(model: Path, load_format: str = "auto") -> str:
    with pytest.raises(UsageError) as caught:
        weights.check(str(model), load_format)
    return str(caught.value)


@pytest.mark.parametrize("of", [EMBEDDED, TINY], ids=lambda path: path.name)
def test_whole_models_are_taken(model: Path, of: Path) -> None:
    weights.check(str(model))
    weights.check(str(of))
    save_file({}, model / WEIGHTS, metadata={"format": "pt"})
    weights.check(str(model))


def test_a_file_cut_anywhere_is_refused(model: Path) -> None:
    whole = (model / WEIGHTS).read_bytes()
    for length in range(len(whole)):
        (model / WEIGHTS).write_bytes(whole[:length])
        assert str(model / WEIGHTS) in refusal(model)
    (model / WEIGHTS).write_bytes(whole + b"\0")
    assert f"has {len(whole) + 1} bytes, not the {len(whole)}" in refusal(model)


def with_header(header: object) -> bytes:
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text


@pytest.mark.parametrize(
    "content",
    [
        b"\xff" * 100,
        (2**40).to_bytes(8, "little") + b"{}",
        (2).to_bytes(8, "little") + b"\xff\xff",
        with_header([]),
        with_header(None),
        with_header({"a": 1}),
        with_header({"a": {"dtype": "F32", "shape": [1]}}),
        with_header({"a": {"dtype": 1, "shape": [1], "data_offsets": [0, 0]}}),
        with_header({"a": {"dtype": "F32", "shape": 1, "data_offsets": [0, 0]}}),
        with_header({"a": {"dtype": "F32", "shape": [1], "data_offsets": [4, 0]}}),
        with_header({"a": {"dtype": "F32", "shape": [1], "data_offsets": ["0", "4"]}}),
        with_header({"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 10**400]}}),
    ],
)
def test_what_is_no_safetensors_file_is_refused(model: Path, content: bytes) -> None:
    (model / WEIGHTS).write_bytes(content)
    assert str(model / WEIGHTS) in refusal(model)


def test_a_pointer_of_git_is_named_so(model: Path) -> None:
    (model / WEIGHTS).write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\n")
    assert "Git LFS" in refusal(model)


def test_files_of_the_index_have_to_be_there(model: Path) -> None:
    named = {name: f"{name}.safetensors" for name in "abcde"} | {"z": WEIGHTS}
    (model / INDEX).write_text(json.dumps({"weight_map": named}))
    told = refusal(model)
    assert "5 of its files are missing (a.safetensors, b.safetensors, c.safetensors ...)" in told
    (model / INDEX).write_text(json.dumps({"weight_map": {"z": WEIGHTS}}))
    (model / "left over.safetensors").write_bytes(b"nothing")  # which SGLang does not read
    weights.check(str(model))


@pytest.mark.parametrize(
    "content", [{}, {"weight_map": None}, {"weight_map": []}, {"weight_map": {"a": 1}}]
)
def test_an_index_of_another_form_is_refused(model: Path, content: object) -> None:
    (model / INDEX).write_text(json.dumps(content))
    assert f"{model / INDEX}: weight_map has to be" in refusal(model)


@pytest.mark.parametrize("name", ["", "\0", "x" * 300, "/", ".."])
def test_an_index_of_names_that_are_no_files_is_refused(model: Path, name: str) -> None:
    (model / INDEX).write_text(json.dumps({"weight_map": {"a": name}}))
    refusal(model)


def test_without_weights_there_is_no_model(model: Path) -> None:
    (model / WEIGHTS).unlink()
    assert f"{model} has no weights" in refusal(model)
    weights.check(str(model), "dummy")
    (model / INDEX).write_text(json.dumps({"weight_map": {"a": WEIGHTS}}))
    assert WEIGHTS in refusal(model)
    (model / "pytorch_model-00001-of-00002.bin").write_bytes(b"")
    weights.check(str(model))
    assert WEIGHTS in refusal(model, "safetensors")


def test_without_a_configuration_there_is_no_model(model: Path) -> None:
    (model / "config.json").unlink()
    assert f"{model / 'config.json'} cannot be read" in refusal(model)
    (model / "params.json").write_text("{}")  # of Mistral's own format
    weights.check(str(model))


@pytest.mark.parametrize(
    "change",
    [
        {"architectures": 5},
        {"architectures": "LlamaForCausalLM"},
        {"architectures": [None]},
        {"text_config": [1]},
        {"hidden_size": "256"},
        {"text_config": {"hidden_size": True}},
    ],
)
def test_a_configuration_of_other_kinds_is_refused(model: Path, change: dict[str, object]) -> None:
    (model / "config.json").write_text(json.dumps(change))
    assert f"{model / 'config.json'}: " in refusal(model)


@pytest.mark.parametrize("change", [{}, {"architectures": None}, {"text_config": None}])
def test_what_need_not_be_said_is_not_asked_for(model: Path, change: dict[str, object]) -> None:
    (model / "config.json").write_text(json.dumps(change))
    weights.check(str(model))


def test_what_is_not_here_is_not_looked_at(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for place in ("meetkai/functionary-small-v3.2", "s3://bucket/model"):
        weights.check(place)
    with pytest.raises(UsageError, match="no model directory /none"):
        weights.check("/none")

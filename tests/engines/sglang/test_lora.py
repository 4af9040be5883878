"""Adapters that SGLang could not serve are refused in a sentence, before it starts."""

import argparse
import asyncio
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from functionary_sgl.engines.sglang.lora import adapters
from functionary_sgl.engines.sglang.lora_updates import LoRAUpdates
from functionary_sgl.errors import RequestError, UsageError
from functionary_sgl.prompt.checkpoint import EMBEDDED

CONFIG = {"peft_type": "LORA", "r": 1, "lora_alpha": 2, "target_modules": ["q_proj"]}
WIDTH = json.loads((EMBEDDED / "config.json").read_text())["hidden_size"]
KEY = "base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight"
VALUE = KEY.replace("q_proj", "v_proj")


@pytest.fixture
def adapter(tmp_path: Path) -> Path:
    return made(tmp_path / "adapter")


def made(directory: Path, width: int = WIDTH, **config: Any) -> Path:
    directory.mkdir()
    (directory / "adapter_config.json").write_text(json.dumps(CONFIG | config))
    weights = {name: torch.zeros(1, width) for name in (KEY, VALUE)}
    save_file(weights, directory / "adapter_model.safetensors")
    return directory


def found(*paths: Any, enabled: bool | None = None, **shape: Any) -> dict[str, str]:
    """What there is after `--lora-paths`, as SGLang's parser leaves it."""
    flags = {"max_lora_rank": None, "lora_target_modules": None, **shape}
    flags |= {"lora_paths": list(paths) or None, "enable_lora": enabled}
    return adapters(argparse.Namespace(model_path=str(EMBEDDED), **flags))


def test_they_are_named_as_sglang_names_them(adapter: Path) -> None:
    entry = {"lora_name": "b", "lora_path": str(adapter)}
    names = found(f"a={adapter}", entry, str(adapter))
    assert names == {"a": str(adapter), "b": str(adapter), str(adapter): str(adapter)}
    assert found() == {}


def test_settings_that_are_as_if_they_were_not_there_do_no_harm(tmp_path: Path) -> None:
    usual = {"use_dora": False, "bias": "none", "modules_to_save": None, "rank_pattern": {}}
    assert found(f"a={made(tmp_path / 'a', **usual)}")


@pytest.mark.parametrize(
    "config",
    [
        {"peft_type": "LOHA"},
        {"use_dora": True},
        {"use_rslora": True},
        {"bias": "all"},
        {"modules_to_save": ["lm_head"]},
        {"rank_pattern": {"q_proj": 4}},
        {"alpha_pattern": {"q_proj": 4}},
    ],
)
def test_what_sglang_passes_over_is_refused(tmp_path: Path, config: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=next(iter(config))):
        found(f"a={made(tmp_path / 'a', **config)}")


def test_an_adapter_for_another_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=f"another model: its layers are 8 wide.*{WIDTH}"):
        found(f"a={made(tmp_path / 'a', width=8)}")


def test_no_directory_no_adapter(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="the adapter a: there is no directory"):
        found(f"a={tmp_path / 'nowhere'}")
    with pytest.raises(UsageError, match=r"no adapter_config\.json"):
        found(f"a={tmp_path}")


@pytest.mark.parametrize("content", [b"", b"[]", b"{"])
def test_a_file_that_is_something_else_is_refused(adapter: Path, content: bytes) -> None:
    (adapter / "adapter_model.safetensors").write_bytes(content)
    with pytest.raises(UsageError, match=r"adapter_model\.safetensors cannot be read"):
        found(f"a={adapter}")
    (adapter / "adapter_config.json").write_bytes(content)
    with pytest.raises(UsageError, match=r"adapter_config\.json cannot be read"):
        found(f"a={adapter}")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("r", None),
        ("r", "8"),
        ("r", True),
        ("r", 0),
        ("r", 10**30),
        ("lora_alpha", None),
        ("lora_alpha", [16]),
        ("target_modules", None),
        ("target_modules", [1]),
        ("target_modules", {"q_proj": 1}),
    ],
)
def test_a_value_of_another_kind_is_refused(tmp_path: Path, key: str, value: Any) -> None:
    with pytest.raises(UsageError, match=rf"adapter_config\.json: {key} has to be"):
        found(f"a={made(tmp_path / 'a', **{key: value})}")


def test_weights_without_a_shape_are_of_another_model(adapter: Path) -> None:
    save_file({KEY: torch.zeros(())}, adapter / "adapter_model.safetensors")
    with pytest.raises(UsageError, match="another model"):
        found(f"a={adapter}")


def test_a_name_is_one_adapters(adapter: Path) -> None:
    with pytest.raises(UsageError, match="twice"):
        found(f"a={adapter}", f"a={adapter}")


@pytest.mark.parametrize("shape", [{}, {"max_lora_rank": 8}, {"lora_target_modules": ["all"]}])
def test_enabled_without_adapters_it_has_to_be_said_what_later_ones_may_have(
    shape: dict[str, Any],
) -> None:
    with pytest.raises(UsageError, match=r"--enable-lora needs adapters.*--max-lora-rank"):
        found(enabled=True, **shape)
    assert found(enabled=True, max_lora_rank=8, lora_target_modules=["all"]) == {}


def test_queries_without_values_are_refused(adapter: Path) -> None:
    save_file({KEY: torch.zeros(1, WIDTH)}, adapter / "adapter_model.safetensors")
    with pytest.raises(UsageError, match=r"q_proj\.lora_A\.weight without its v_proj"):
        found(f"a={adapter}")


@pytest.mark.parametrize(
    ("enabled", "flags", "reason"),
    [
        (False, {}, "--enable-lora --max-lora-rank"),
        (True, {"dp_size": 2}, "With --dp-size"),
        (True, {"nnodes": 2}, "With --nnodes"),
        (True, {"max_loaded_loras": 3}, r"3 adapters at most \(--max-loaded-loras\)"),
        (True, {"max_loaded_loras": 4}, "no adapter_config"),
    ],
)
def test_a_server_that_cannot_take_more_says_so(
    tmp_path: Path, enabled: bool, flags: dict[str, int], reason: str
) -> None:
    registry = SimpleNamespace(num_registered_loras=3)
    manager = SimpleNamespace(enable_lora=enabled, lora_registry=registry)
    usual = {"dp_size": 1, "nnodes": 1, "max_loaded_loras": None, "model_path": str(EMBEDDED)}
    updates = LoRAUpdates(manager, SimpleNamespace(**(usual | flags)))
    with pytest.raises(RequestError, match=reason):
        asyncio.run(updates.load("a", "a", tmp_path))

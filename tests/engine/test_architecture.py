"""Checkpoints that name MeetKai's own class are served as Llama."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from functionary_sgl.cli import flags
from functionary_sgl.engines.sglang import launch
from functionary_sgl.prompt import checkpoint


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """The embedded model as MeetKai's checkpoints were saved."""
    shutil.copytree(checkpoint.EMBEDDED, tmp_path / "model")
    file = tmp_path / "model" / "config.json"
    named = {
        "architectures": ["FunctionaryForCausalLM"],
        "auto_map": {"AutoModelForCausalLM": "modeling_functionary.FunctionaryForCausalLM"},
    }
    file.write_text(json.dumps({**json.loads(file.read_text()), **named}))
    return tmp_path / "model"


def architectures(model: Path, *others: str) -> Any:
    """What SGLang makes of the model's configuration."""
    from sglang.srt.configs.model_config import ModelConfig
    from sglang.srt.server_args import ServerArgs

    parser = flags.Parser()
    launch.add_flags(parser)
    arguments = parser.parse_args(["--model-path", str(model), "--device", "cpu", *others])
    launch.name_the_architecture(arguments)
    return ModelConfig.from_server_args(ServerArgs.from_cli_args(arguments)).hf_config.architectures


@pytest.mark.filterwarnings("ignore")
def test_it_is_a_llama(model: Path) -> None:
    assert architectures(model) == ["LlamaForCausalLM"]


@pytest.mark.filterwarnings("ignore")
def test_what_the_user_says_counts_more(model: Path) -> None:
    overrides = '{"architectures": ["MistralForCausalLM"]}'
    asked = architectures(model, "--json-model-override-args", overrides)
    assert asked == ["MistralForCausalLM"]

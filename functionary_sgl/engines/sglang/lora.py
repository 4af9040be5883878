"""LoRA adapters, looked at before SGLang loads them.

SGLang would tell of one that it cannot load by the traceback of a process that died, of one that is
for another model when the first request for it comes, and of settings that it passes over never.
"""

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from functionary_sgl import files
from functionary_sgl.errors import UsageError

# What an adapter's configuration must say where it says anything (SGLang 0.5.23 looks at none but
# the first two): its answers would not be those that it was trained to give.
_ONLY: Mapping[str, Any] = {
    "peft_type": "LORA",
    "use_dora": False,
    "use_rslora": False,
    "bias": "none",
    "modules_to_save": [],
    "rank_pattern": {},
    "alpha_pattern": {},
}
_CONFIG = "adapter_config.json"


def adapters(arguments: argparse.Namespace) -> dict[str, str]:
    """The adapters that SGLang's `--lora-paths` names, each with its directory or repository.

    Raises UsageError for what SGLang cannot load, or would serve otherwise than it was trained.
    """
    named = [_named(entry) for entry in arguments.lora_paths or ()]
    if (
        arguments.enable_lora
        and not named
        and not (arguments.max_lora_rank and arguments.lora_target_modules)
    ):
        raise UsageError(
            "--enable-lora needs adapters (--lora-modules NAME=PATH ...), or what those may have "
            "that come later: --max-lora-rank N --lora-target-modules q_proj ..."
        )
    found: dict[str, str] = {}
    for name, place in named:
        if name in found:
            raise UsageError(f"--lora-paths names the adapter {name} twice")
        found[name] = place
        check(name, _directory(name, place), arguments.model_path)
    return found


def check(name: str, directory: Path, model_path: str) -> None:
    """UsageError for an adapter in `directory` that SGLang cannot load, or would serve otherwise
    than it was trained, as far as its files tell."""
    _check_config(name, directory)
    _check_weights(name, directory, model_path)


def _named(entry: Any) -> tuple[str, str]:
    """Name and place of what may be `NAME=PATH`, `PATH` or an object with both."""
    if isinstance(entry, dict):
        return entry["lora_name"], entry["lora_path"]
    name, equals, place = entry.partition("=")
    return (name, place) if equals else (entry, entry)


def _directory(name: str, place: str) -> Path:
    """Where the adapter is; one of the hub is fetched."""
    directory = Path(place)
    if files.is_directory(directory):
        return directory
    if place.count("/") != 1 or place.startswith((".", "/", "~")):
        raise UsageError(f"the adapter {name}: there is no directory {place}")
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(place, allow_patterns=["*.json", "*.safetensors"]))
    except Exception as error:  # the hub's client raises many kinds, network errors among them
        reason = str(error).strip().splitlines()[0]
        raise UsageError(
            f"the adapter {name}: {place} is neither a directory nor what the hub gives: {reason}"
        ) from error


def _check_config(name: str, directory: Path) -> None:
    file = directory / _CONFIG
    if not files.exists(file):
        raise UsageError(f"the adapter {name}: {directory} has no {_CONFIG} of peft")
    config = files.read_object(file)
    for key, only in _ONLY.items():
        if (config.get(key) or only) != only:
            raise UsageError(
                f"the adapter {name}: SGLang cannot serve one with {key} {config[key]!r}"
            )
    for key, (holds, what) in _NEEDED.items():
        if not holds(config.get(key)):
            raise UsageError(f"the adapter {name}: {file}: {key} has to be {what}")
    files.read_object(directory / "added_tokens.json", optional=True)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_rank(value: Any) -> bool:
    return _is_number(value) and isinstance(value, int) and 1 <= value <= _MOST_RANK


def _names_modules(value: Any) -> bool:
    return isinstance(value, str) or (
        isinstance(value, list) and all(isinstance(module, str) for module in value)
    )


# What SGLang reads of an adapter's configuration.
_MOST_RANK = 65_536
_NEEDED: Mapping[str, tuple[Callable[[Any], bool], str]] = {
    "r": (_is_rank, f"a whole number from 1 to {_MOST_RANK}"),
    "lora_alpha": (_is_number, "a number"),
    "target_modules": (_names_modules, "a list of texts, or a text"),
}


def _check_weights(name: str, directory: Path, model_path: str) -> None:
    """An adapter reads what the model's layers pass on, so it must have their width."""
    from safetensors import SafetensorError, safe_open
    from transformers import PretrainedConfig

    try:
        model, _ = PretrainedConfig.get_config_dict(model_path)
    except (OSError, ValueError):
        return  # SGLang will say it better
    width = (model.get("text_config") or model).get("hidden_size")
    file = directory / "adapter_model.safetensors"
    try:
        with safe_open(file, "pt") as weights:
            shapes = {key: weights.get_slice(key).get_shape() for key in weights.keys()}  # noqa: SIM118
    except (OSError, SafetensorError) as error:
        raise UsageError(f"the adapter {name}: {file} cannot be read: {error}") from error
    for key, shape in shapes.items():
        if width and key.endswith("q_proj.lora_A.weight") and shape[-1:] != [width]:
            mine = shape[-1] if shape else 0
            raise UsageError(
                f"the adapter {name} is for another model: its layers are {mine} wide, those "
                f"of {model_path} {width}"
            )
    for key in shapes:
        if ".q_proj." in key and key.replace(".q_proj.", ".v_proj.") not in shapes:
            raise UsageError(
                f"the adapter {name}: SGLang cannot serve one that has {key} without its v_proj"
            )

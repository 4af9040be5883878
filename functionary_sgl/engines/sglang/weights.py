"""A model's files beside those of its prompts, looked at before SGLang reads them.

SGLang would tell of a broken one by the traceback of a process that died, and that late.

A safetensors file is 8 bytes with the length of a header (little-endian), the header, which is JSON
and says where in the rest each tensor lies (`data_offsets`), and the rest.
Source: https://github.com/huggingface/safetensors#format
"""

import os
from collections.abc import Collection
from pathlib import Path
from typing import Any

from functionary_sgl import files
from functionary_sgl.errors import UsageError

_CONFIG = "config.json"
# What transformers and SGLang read besides, where it is there.
_OBJECTS = (
    *("generation_config.json", "tokenizer_config.json", "special_tokens_map.json"),
    *("added_tokens.json", "preprocessor_config.json", "processor_config.json"),
    "hf_quant_config.json",
)
# The formats (of --load-format) of weights that are found by what their files are called.
_FOUND_BY_NAME = ("auto", "safetensors")
_INDEX = "model.safetensors.index.json"
_OTHER_WEIGHTS = ("*.bin", "*.pt", "*.gguf")
_MOST_HEADER = 100_000_000
_POINTER = b"version https://git-lfs"
_ANEW = "fetch the model anew"


def check(model_path: str, load_format: str = "auto") -> None:
    """UsageError, naming the file, where a model in a local directory cannot be loaded. Both
    arguments are flags of SGLang's; what is on the hub or elsewhere is not looked at."""
    directory = Path(model_path)
    if not files.is_directory(directory):
        if model_path.startswith(("/", ".", "~")) and not files.exists(directory):
            raise UsageError(f"there is no model directory {model_path}")
        return
    by_name = load_format in _FOUND_BY_NAME
    config = directory / _CONFIG
    if files.exists(config) or (by_name and not files.exists(directory / "params.json")):
        check_config(config)
    for name in _OBJECTS:
        files.read_object(directory / name, optional=True)
    if by_name:
        _check_weights(directory, load_format)


def check_config(file: Path) -> None:
    """UsageError if a `config.json` is none, as far as it is read here."""
    config = files.read_object(file)
    architectures = config.get("architectures")
    if architectures is not None and not _is_texts(architectures):
        raise UsageError(f"{file}: architectures has to be a list of texts")
    inner = config.get("text_config") or {}
    if not isinstance(inner, dict):
        raise UsageError(f"{file}: text_config has to be an object")
    for width in (config.get("hidden_size"), inner.get("hidden_size")):
        if width is not None and type(width) is not int:
            raise UsageError(f"{file}: hidden_size has to be a whole number")


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(text, str) for text in value)


def _check_weights(directory: Path, load_format: str) -> None:
    found = sorted(directory.glob("*.safetensors"))
    index = directory / _INDEX
    others = load_format == "auto" and any(
        file for pattern in _OTHER_WEIGHTS for file in directory.glob(pattern)
    )
    if not found and others:
        return
    if files.exists(index):
        found = [directory / name for name in _named(index)]
        if missing := [file.name for file in found if not files.exists(file)]:
            names = ", ".join(missing[:3]) + (" ..." if len(missing) > 3 else "")
            raise UsageError(f"{index}: {len(missing)} of its files are missing ({names}); {_ANEW}")
    if not found:
        raise UsageError(f"{directory} has no weights (*.safetensors); {_ANEW}")
    for file in found:
        _check_safetensors(file)


def _named(index: Path) -> Collection[str]:
    """The files that an index names."""
    weights = files.read_object(index).get("weight_map")
    if not isinstance(weights, dict) or not weights or not _is_texts([*weights.values()]):
        raise UsageError(f"{index}: weight_map has to be an object of names of files")
    return sorted(set(weights.values()))


def _check_safetensors(file: Path) -> None:
    """UsageError if the file is not as long as its header says, or has none."""
    try:
        with file.open("rb") as opened:
            size = os.fstat(opened.fileno()).st_size
            start = opened.read(8)
            length = int.from_bytes(start, "little")
            if start + opened.read(len(_POINTER) - 8) == _POINTER:
                raise UsageError(f"{file} is a pointer of Git LFS to the weights: git lfs pull")
            opened.seek(8)
            whole = len(start) == 8 and length <= min(size - 8, _MOST_HEADER)
            header = opened.read(length) if whole else b""
    except OSError as error:
        raise files.unreadable(file, error) from error
    if not whole:
        raise UsageError(f"{file} is no whole safetensors file, {size} bytes of it; {_ANEW}")
    try:
        text = header.decode()
    except UnicodeDecodeError as error:
        raise UsageError(f"{file} has a broken header; {_ANEW}") from error
    tensors = files.parse_object(text, file)
    ends = [_end(tensor, file) for name, tensor in tensors.items() if name != "__metadata__"]
    expected = 8 + length + max(ends, default=0)
    if size != expected:
        raise UsageError(f"{file} has {size} bytes, not the {expected} of its header; {_ANEW}")


def _end(tensor: Any, file: Path) -> int:
    """Where the bytes of a tensor end, counted from the end of the header."""
    match tensor:
        case {"dtype": str(), "shape": [*_], "data_offsets": [int(begin), int(end)]}:
            if 0 <= begin <= end:
                return end
    raise UsageError(f"{file} has a broken header; {_ANEW}")

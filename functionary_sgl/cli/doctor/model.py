"""A model's directory, as far as it can be told without loading it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from functionary_sgl import files
from functionary_sgl.cli.doctor.finding import Finding, size, tried
from functionary_sgl.cli.doctor.machine import Machine
from functionary_sgl.engines.sglang import weights
from functionary_sgl.errors import UsageError
from functionary_sgl.prompt import checkpoint, detect
from functionary_sgl.prompt.checkpoint import Checkpoint

_BYTES = {"float32": 4, "bfloat16": 2, "float16": 2}


def findings(
    path: str,
    tokenizer_path: str | None,
    template: str | None,
    machine: Machine,
    computed: bool = True,
) -> Iterator[Finding]:
    """Whether the model at `path` will do on `machine`, if it is `computed` there; the other two as
    the flags have them."""
    if not files.is_directory(Path(path)):
        yield _elsewhere(path)
        return
    try:
        read = checkpoint.load(tokenizer_path or path)
    except UsageError as error:
        yield Finding("wrong", "tokenizer", str(error))
    else:
        yield Finding("ok", "tokenizer", f"ids up to {read.tokenizer.most_id}")
        yield Finding("ok", "chat template", _own(read))
        yield tried("format", lambda: _format(read, template))
        yield tried("vocabulary", lambda: _vocabulary(Path(path), read))
    if computed:
        yield tried("weights", lambda: _weights(path))
        yield from _numbers(Path(path), machine)


def _elsewhere(path: str) -> Finding:
    if path.count("/") == 1 and not path.startswith((".", "/", "~")):
        told = "no directory here; as a model of the hub it is fetched when the server starts"
        return Finding("note", "model", f"{path} is {told}")
    return Finding("wrong", "model", f"there is no model directory {path}: give --model-path")


def _own(read: Checkpoint) -> str:
    if read.template is None:
        return "the model brings none; that of its format is used"
    return "the model brings one"


def _format(read: Checkpoint, template: str | None) -> str:
    found = detect.chosen(read, template)
    return f"{found.format.name} ({found.reason})"


def _vocabulary(directory: Path, read: Checkpoint) -> str:
    count = _config(directory).get("vocab_size")
    if isinstance(count, int) and read.tokenizer.most_id >= count:
        raise UsageError(
            f"the tokenizer has ids up to {read.tokenizer.most_id}, the model {count} ids: they do "
            "not belong together; fetch both from the same place"
        )
    return f"{count or 'an unknown number of'} ids"


def _weights(path: str) -> str:
    weights.check(path)
    found = [file.stat().st_size for file in Path(path).glob("*.safetensors")]
    if not found:
        return "not in safetensors files; SGLang will look at them"
    return f"{size(sum(found))} in safetensors files, none missing or cut short"


def _numbers(directory: Path, machine: Machine) -> Iterator[Finding]:
    """Of its context and its numbers, and whether it fits into memory."""
    try:
        config = _config(directory)
    except UsageError as error:
        yield Finding("wrong", "config.json", str(error))
        return
    context = config.get("max_position_embeddings")
    if context is not None:
        yield Finding("ok", "context", f"{context} tokens, unless --context-length says less")
    dtype = str(config.get("dtype") or config.get("torch_dtype") or "unknown")
    told, factor = f"{dtype} in its files", 1.0
    if not machine.has_accelerator and not machine.multiplies_bfloat16 and _BYTES.get(dtype) == 2:
        told, factor = f"{told}, served as float32, which these processors are quicker with", 2.0
    yield Finding("ok", "dtype", told)
    yield _fits(directory, machine, factor)


def _fits(directory: Path, machine: Machine, factor: float) -> Finding:
    wanted = factor * sum(file.stat().st_size for file in directory.glob("*.safetensors"))
    of_gpus = sum(gpu.memory for gpu in machine.gpus)
    room, where = (of_gpus, "the GPUs have") if of_gpus else (machine.memory, "free are")
    if machine.has_accelerator and not of_gpus:
        return Finding("note", "fits", "not known: the memory of these GPUs is not read here")
    told = f"the weights take {size(wanted)}, {where} {size(room)}"
    if wanted >= room:
        return Finding("wrong", "fits", f"{told}: take a smaller model, or one that is quantized")
    if wanted > 0.9 * room:
        return Finding("note", "fits", f"{told}: little is left for the KV cache")
    return Finding("ok", "fits", told)


def _config(directory: Path) -> dict[str, Any]:
    """`config.json`, with what it says of the language model if it is of one that sees."""
    config = files.read_object(directory / "config.json", optional=True)
    inner = config.get("text_config")
    return {**config, **inner} if isinstance(inner, dict) else config

"""What the directory of a checkpoint says about prompts, read without torch or transformers."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from functionary_sgl.errors import UsageError
from functionary_sgl.tokenizer import Tokenizer

EMBEDDED = Path(__file__).parent.parent / "models" / "nano"

_PROMPT_FILES = ["*.json", "*.jinja"]


@dataclass(frozen=True)
class Checkpoint:
    """A model's tokenizer, chat template (None if it has none) and sampling defaults."""

    directory: Path
    tokenizer: Tokenizer
    chat_template: str | None
    generation_defaults: dict[str, Any]


def load(model_path: str) -> Checkpoint:
    """The checkpoint in a local directory, or of a model on the Hugging Face hub.

    Raises UsageError if there is none, or none with a `tokenizer.json`.
    """
    directory = _directory(model_path)
    tokenizer_file = directory / "tokenizer.json"
    if not tokenizer_file.is_file():
        raise UsageError(
            f"{model_path} has no tokenizer.json; save the model with a fast tokenizer "
            "(transformers: AutoTokenizer.from_pretrained(...).save_pretrained(...))"
        )
    return Checkpoint(
        directory=directory,
        tokenizer=Tokenizer.from_file(tokenizer_file),
        chat_template=_chat_template(directory),
        generation_defaults=_json(directory / "generation_config.json"),
    )


def _directory(model_path: str) -> Path:
    directory = Path(model_path).expanduser()
    if directory.is_dir():
        return directory
    looks_like_hub = model_path.count("/") == 1 and not model_path.startswith((".", "/", "~"))
    if not looks_like_hub:
        raise UsageError(f"there is no model directory {model_path}")
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(model_path, allow_patterns=_PROMPT_FILES))
    except Exception as error:  # the hub's client raises many kinds, network errors among them
        reason = str(error).strip().splitlines()[0]
        raise UsageError(
            f"{model_path} is neither a directory nor a model that the hub gives: {reason}"
        ) from error


def _chat_template(directory: Path) -> str | None:
    file = directory / "chat_template.jinja"
    if file.is_file():
        return file.read_text(encoding="utf-8")
    template = _json(directory / "tokenizer_config.json").get("chat_template")
    if isinstance(template, list):  # named templates: the one for tools, else the default
        named = {entry["name"]: entry["template"] for entry in template}
        template = named.get("tool_use", named.get("default"))
    return template


def _json(path: Path) -> dict[str, Any]:
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise UsageError(f"{path} is not JSON: {error}") from error
    return content

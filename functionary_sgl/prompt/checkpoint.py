"""What the directory of a checkpoint says about prompts, read without torch or transformers."""

import os
from dataclasses import dataclass
from pathlib import Path

from functionary_sgl import files
from functionary_sgl.errors import UsageError
from functionary_sgl.prompt import defaults, own_template
from functionary_sgl.prompt.own_template import OwnTemplate
from functionary_sgl.tokenizer import Tokenizer

EMBEDDED = Path(__file__).parent.parent / "models" / "nano"

_PROMPT_FILES = ["*.json", "*.jinja"]


@dataclass(frozen=True)
class Checkpoint:
    """A model's tokenizer, chat template (None if it has none) and sampling defaults."""

    directory: Path
    tokenizer: Tokenizer
    template: OwnTemplate | None
    generation_defaults: dict[str, float]


def load(model_path: str) -> Checkpoint:
    """The checkpoint in a local directory, or of a model on the Hugging Face hub.

    Raises UsageError if there is none, none with a `tokenizer.json`, or one with files that are
    broken.
    """
    directory = _directory(model_path)
    tokenizer_file = directory / "tokenizer.json"
    if not files.exists(tokenizer_file):
        raise UsageError(
            f"{model_path} has no tokenizer.json; save the model with a fast tokenizer "
            "(transformers: AutoTokenizer.from_pretrained(...).save_pretrained(...))"
        )
    return Checkpoint(
        directory=directory,
        tokenizer=Tokenizer.from_file(tokenizer_file),
        template=own_template.read(directory),
        generation_defaults=defaults.read(directory / "generation_config.json"),
    )


def _directory(model_path: str) -> Path:
    directory = Path(os.path.expanduser(model_path))
    if files.is_directory(directory):
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

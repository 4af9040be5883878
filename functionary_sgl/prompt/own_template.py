"""The chat template that a checkpoint brings, found among its files as transformers would."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ValidationError

from functionary_sgl import files
from functionary_sgl.errors import UsageError

_VERSION = re.compile(r"\{#-?\s*version=(\S+?)\s*-?#\}")


@dataclass(frozen=True)
class OwnTemplate:
    """A checkpoint's own chat template, with the special tokens it may name (`bos_token` ...);
    `source` says where it was found."""

    text: str
    special_tokens: dict[str, str]
    source: str = "the model's chat template"

    @property
    def version(self) -> str | None:
        """The name in its comment `{# version=NAME #}`, by which Functionary's checkpoints tell
        their format; None if it has none."""
        found = _VERSION.search(self.text)
        return found[1] if found else None


def _encodable(text: str) -> str:
    text.encode()  # a ValueError for half of a surrogate pair, which JSON can have
    return text


_Text = Annotated[str, AfterValidator(_encodable)]


class _Named(BaseModel):
    name: _Text
    template: _Text


class _Token(BaseModel):
    content: _Text


class _Config(BaseModel):
    """What is read of `tokenizer_config.json`."""

    chat_template: _Text | list[_Named] | dict[str, _Text] | None = None
    bos_token: _Text | _Token | Literal[False] | None = None
    eos_token: _Text | _Token | Literal[False] | None = None
    pad_token: _Text | _Token | Literal[False] | None = None

    def template(self) -> str:
        """Of named templates the one for tools, else the default; empty if there is none."""
        given = self.chat_template
        if isinstance(given, list):
            given = {named.name: named.template for named in given}
        if isinstance(given, dict):
            given = given.get("tool_use", given.get("default"))
        return given or ""

    def special_tokens(self) -> dict[str, str]:
        given = {n: getattr(self, n) for n in ("bos_token", "eos_token", "pad_token")}
        texts = {n: t.content if isinstance(t, _Token) else t for n, t in given.items()}
        return {name: text for name, text in texts.items() if text}


def read(directory: Path) -> OwnTemplate | None:
    """The template of the checkpoint in `directory`, None if it has none; UsageError for one that
    cannot be read."""
    config_file = directory / "tokenizer_config.json"
    config = _config(config_file)
    text, source = config.template(), f"{config_file}: chat_template"
    file = directory / "chat_template.jinja"
    if files.exists(file):
        text, source = files.read_text(file), str(file)
        if not text.strip():
            raise UsageError(f"{file} is empty; fetch the model anew, or delete the file")
    return OwnTemplate(text, config.special_tokens(), source) if text.strip() else None


def _config(file: Path) -> _Config:
    content = files.read_object(file, optional=True)
    try:
        return _Config.model_validate(content)
    except ValidationError as error:
        key = str(error.errors()[0]["loc"][0])
        shape = "an object with the text content"
        if key == "chat_template":
            shape = "a list of objects with the texts name and template"
        raise UsageError(f"{file}: {key} has to be a text, or {shape}") from error

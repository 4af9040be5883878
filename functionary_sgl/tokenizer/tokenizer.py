"""Text to token ids and back, with control tokens kept apart from text."""

import json
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path

import tokenizers
from tokenizers.decoders import DecodeStream

from functionary_sgl.errors import UsageError
from functionary_sgl.tokenizer.control import ControlTokens


class Tokenizer:
    """A Hugging Face fast tokenizer (`tokenizer.json`).

    `control_ids` maps each control token to its id: the tokenizer's special tokens, which it would
    find in any raw text, and which here only templates and programs may write.
    """

    def __init__(self, definition: str) -> None:
        """Raises UsageError if `definition` is no tokenizer of the `tokenizers` library."""
        self._definition = definition
        try:
            self._full = tokenizers.Tokenizer.from_str(definition)
            parsed = json.loads(definition)
            added = parsed.get("added_tokens") or []
            parsed["added_tokens"] = [token for token in added if not token["special"]]
            self._plain = tokenizers.Tokenizer.from_str(json.dumps(parsed))
        except Exception as error:  # the library raises bare Exception
            raise UsageError(f"tokenizer.json cannot be read: {error}") from error
        self.control_ids: dict[str, int] = {
            token["content"]: token["id"] for token in added if token["special"]
        }
        self.control = ControlTokens(self.control_ids)
        self.size = self._full.get_vocab_size(with_added_tokens=True)

    @classmethod
    def from_file(cls, path: Path) -> "Tokenizer":
        return cls(path.read_text(encoding="utf-8"))

    def with_control(self, tokens: Iterable[str]) -> "Tokenizer":
        """This tokenizer with those of `tokens` that it lacks as further control tokens; no model
        has their ids, but a prompt can be shown and a script replayed."""
        definition = json.loads(self._definition)
        flags = dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized"), False)
        lacking = [token for token in tokens if token not in self.control_ids]
        definition["added_tokens"] += [
            {"id": self.size + index, "content": token, "special": True, **flags}
            for index, token in enumerate(lacking)
        ]
        return Tokenizer(json.dumps(definition)) if lacking else self

    @cached_property
    def bos_ids(self) -> tuple[int, ...]:
        """What the tokenizer puts before every prompt: one BOS id, or nothing."""
        return tuple(self._full.encode("", add_special_tokens=True).ids)

    def encode(self, text: str) -> list[int]:
        """Ids of plain text; a control-token string in it becomes ordinary tokens."""
        ids: list[int] = self._plain.encode(text, add_special_tokens=False).ids
        return ids

    def encode_marked(self, marked: str) -> list[int]:
        """Ids of text from a template or a program, whose control tokens are control tokens."""
        ids: list[int] = []
        for piece, is_control in self.control.split(marked):
            if is_control:
                ids.append(self.control_ids[piece])
            else:
                ids += self.encode(self.control.unmark(piece))
        return ids

    def decode(self, ids: list[int]) -> str:
        """The text of `ids`, control tokens included."""
        text: str = self._full.decode(ids, skip_special_tokens=False)
        return text

    def stream(self) -> "TextStream":
        """A new incremental decoder."""
        return TextStream(self._full)


class TextStream:
    """Ids to text, one id at a time. Control tokens that are special give no text."""

    def __init__(self, tokenizer: tokenizers.Tokenizer) -> None:
        self._tokenizer = tokenizer
        self._decoder = DecodeStream(skip_special_tokens=True)

    def step(self, token_id: int) -> str:
        """The text that this id completes; empty while a character is incomplete."""
        return self._decoder.step(self._tokenizer, token_id) or ""

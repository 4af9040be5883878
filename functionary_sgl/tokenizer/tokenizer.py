"""Text to token ids and back, with control tokens kept apart from text."""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import tokenizers
from tokenizers.decoders import DecodeStream

from functionary_sgl import files
from functionary_sgl.errors import UsageError
from functionary_sgl.tokenizer.control import ControlTokens


def _byte_alphabet() -> dict[str, int]:
    """The characters that byte-level BPE writes for bytes (as GPT-2's encoder did first): those
    that can be seen stand for themselves, the others for code points from 256 on."""
    seen = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in seen]
    characters = [*map(chr, seen), *(chr(256 + index) for index in range(len(others)))]
    return dict(zip(characters, seen + others, strict=True))


_BYTES = _byte_alphabet()
_DEFINITION = Path("tokenizer.json")

_NO_CHARACTER = "\ufffd"

_LONG_CHARACTERS = 2_000
_PART_CHARACTERS = 65_536
_SPARE_IDS = 256
"""More ids than a cut through a text can add to it."""


class Tokenizer:
    """A Hugging Face fast tokenizer (`tokenizer.json`).

    `control_ids` maps each control token to its id. They are the tokenizer's special tokens and
    those of its other added tokens that a format names (Qwen's `<tool_call>` is one); a tokenizer
    would find them in any raw text, here only templates and programs may write them. `definition`
    is the text of `tokenizer.json`.
    """

    def __init__(
        self, definition: str, control: Iterable[str] = (), file: Path = _DEFINITION
    ) -> None:
        """`control`: added tokens that are control tokens though they are not special. `file` is
        where the definition was read.

        Raises UsageError if `definition` is no tokenizer of the `tokenizers` library.
        """
        self.definition = definition
        self._promoted = frozenset(control)
        parsed = files.parse_object(definition, file)
        try:
            _check_post_processor(parsed.get("post_processor"))
            self._full = tokenizers.Tokenizer.from_str(definition)
            added = parsed.get("added_tokens") or []
            parsed["added_tokens"] = [token for token in added if not self._is_control(token)]
            self._leading = self._plain = tokenizers.Tokenizer.from_str(json.dumps(parsed))
            going_on = _without_leading_space(leading := parsed.get("pre_tokenizer"))
            if going_on != leading:
                parsed["pre_tokenizer"] = going_on
                self._plain = tokenizers.Tokenizer.from_str(json.dumps(parsed))
        except Exception as error:  # the library raises bare Exception
            raise UsageError(f"{file} cannot be read as a tokenizer: {error}") from error
        self.control_ids: dict[str, int] = {
            token["content"]: token["id"] for token in added if self._is_control(token)
        }
        self.control = ControlTokens(self.control_ids)
        self._control_id_set = frozenset(self.control_ids.values())
        self._is_byte_level = "ByteLevel" in json.dumps(parsed.get("decoder"))
        self.size = self._full.get_vocab_size(with_added_tokens=True)

    @classmethod
    def from_file(cls, path: Path) -> "Tokenizer":
        return cls(files.read_text(path), file=path)

    def _is_control(self, added_token: Mapping[str, Any]) -> bool:
        return bool(added_token["special"]) or added_token["content"] in self._promoted

    def controlling(self, tokens: Iterable[str]) -> "Tokenizer":
        """This tokenizer with those of its added tokens that are among `tokens` as control tokens;
        names that it does not have are passed over."""
        added = {token.content for token in self._full.get_added_tokens_decoder().values()}
        lacking = added.intersection(tokens) - self.control_ids.keys()
        return Tokenizer(self.definition, self._promoted | lacking) if lacking else self

    def with_control(self, tokens: Iterable[str], *, special: bool = True) -> "Tokenizer":
        """This tokenizer with those of `tokens` that it lacks as further control tokens, which give
        no text if they are `special`; no model has their ids, but a prompt can be shown and a
        script replayed."""
        definition = json.loads(self.definition)
        flags = dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized"), False)
        added = definition.setdefault("added_tokens", [])
        known = {token["content"] for token in added}
        lacking = [token for token in dict.fromkeys(tokens) if token not in known]
        if not lacking:
            return self
        added += [
            {"id": self.size + index, "content": token, "special": special, **flags}
            for index, token in enumerate(lacking)
        ]
        return Tokenizer(json.dumps(definition), self._promoted.union(lacking))

    @cached_property
    def _added_ids(self) -> frozenset[int]:
        """Looked up here: the library makes a new dictionary of them each time."""
        return frozenset(self._full.get_added_tokens_decoder())

    @cached_property
    def bos_ids(self) -> tuple[int, ...]:
        """What the tokenizer puts before every prompt: one BOS id, or nothing."""
        return tuple(self._full.encode("", add_special_tokens=True).ids)

    @cached_property
    def most_id(self) -> int:
        """The highest id there is; some tokenizers leave out numbers, so it may be above `size`."""
        known = self._full.get_vocab().values()
        return max([-1, *known, *self.control_ids.values(), *self.bos_ids])

    def encode(self, text: str, *, leading: bool = False, most: int | None = None) -> list[int]:
        """Ids of plain text; a control-token string in it becomes ordinary tokens. `leading`:
        nothing comes before the text, where some tokenizers add a space. `most`: OverflowError
        where there are more ids, before much time has gone into them."""
        tokenizer = self._leading if leading else self._plain
        if most is not None and self._surely_exceeds(text, most):
            raise OverflowError
        if len(text) < _LONG_CHARACTERS:
            ids: list[int] = tokenizer.encode(text, add_special_tokens=False).ids
        else:
            # Those for batches alone let other threads run, but wake the library's own for that.
            ids = tokenizer.encode_batch_fast([text], add_special_tokens=False)[0].ids
        return ids

    def _surely_exceeds(self, text: str, most: int) -> bool:
        """Whether `text` has more than `most` ids, as far as that can be told at a cost bounded by
        `most`: by its length, or by the ids of its parts, which are about as many as its own."""
        if len(text) > self.most_characters(most):
            return True
        if len(text) <= _PART_CHARACTERS:
            return False
        count = 0
        for start in range(0, len(text), _PART_CHARACTERS):
            part = text[start : start + _PART_CHARACTERS]
            count += len(self._plain.encode_batch_fast([part], add_special_tokens=False)[0])
            count -= _SPARE_IDS
            if count > most:
                return True
        return False

    def most_characters(self, count: int) -> int:
        """A text of `count` ids has no more characters than this."""
        return count * self._longest

    @cached_property
    def _longest(self) -> int:
        """Characters that one id stands for at most. A normalizer may have made one out of four."""
        longest = max(map(len, self._full.get_vocab()), default=1)
        return longest * (1 if self._full.normalizer is None else 4)

    def encode_marked(self, marked: str) -> list[int]:
        """Ids of what a template or a program wrote after other text; its control tokens are
        control tokens."""
        ids: list[int] = []
        for piece, is_control in self.control.split(marked):
            if is_control:
                ids.append(self.control_ids[piece])
            else:
                ids += self.encode(self.control.unmark(piece))
        return ids

    def joint(self, before: str, after: str) -> tuple[str, str]:
        """The end of `before` and the beginning of `after` that are in one token where both are one
        text; empty if none is."""
        text, begin, end = (before + after).encode(), 0, 0
        seam = len(before.encode())
        for token_id in self.encode(before + after):
            begin, end = end, end + len(self.token_bytes(token_id))
            if end >= seam:
                break
        if end == seam:
            return "", ""
        return text[begin:seam].decode(errors="ignore"), text[seam:end].decode(errors="ignore")

    def decode(self, ids: list[int]) -> str:
        """The text of `ids`, control tokens included."""
        text: str = self._full.decode(ids, skip_special_tokens=False)
        return text

    def token_bytes(self, token_id: int) -> bytes:
        """What a token adds to a text, in UTF-8: maybe a part of a character."""
        piece = self._full.id_to_token(token_id) or ""
        if token_id in self._added_ids:
            return piece.encode()
        if self._is_byte_level and all(character in _BYTES for character in piece):
            return bytes(_BYTES[character] for character in piece)
        if byte := re.fullmatch("<0x([0-9A-F]{2})>", piece):  # SentencePiece's byte fallback
            return bytes.fromhex(byte[1])
        return piece.replace("\u2581", " ").encode()

    def spells(self, ids: Sequence[int], text: str) -> bool:
        """Whether `ids`, which were decoded to `text`, are what a text can be cut into: no control
        tokens, no ids that the tokenizer does not have, no bytes that are no characters."""
        no_text = self._control_id_set
        if any(i > self.most_id or i in no_text for i in ids):
            return False
        if _NO_CHARACTER not in text:
            return True
        # A model may well write the character that stands for what is none.
        written = b"".join(map(self.token_bytes, ids))
        return text.count(_NO_CHARACTER) == written.count(_NO_CHARACTER.encode())

    def gives_text(self, control_token: str) -> bool:
        """Whether a `stream` tells this control token."""
        return bool(self.stream().step(self.control_ids[control_token]))

    def stream(self) -> "TextStream":
        """A new incremental decoder."""
        return TextStream(self._full, self.token_bytes)


class TextStream:
    """Ids to text, one id at a time. Special tokens give no text."""

    def __init__(self, tokenizer: tokenizers.Tokenizer, spelled: Callable[[int], bytes]) -> None:
        self._tokenizer = tokenizer
        self._spelled = spelled
        self._decoder = DecodeStream(skip_special_tokens=True)
        self._held: list[int] = []

    def step(self, token_id: int) -> str:
        """The text that this id completes; empty while a character is incomplete."""
        text = self._decoder.step(self._tokenizer, token_id) or ""
        self._held = [] if text else [*self._held, token_id]
        return text

    def close(self) -> str:
        """The end of the text, or of a part of it: U+FFFD, which looks incomplete until something
        follows it, may have been written. What is incomplete gives no text."""
        held = [one for one in self._held if self._tokenizer.decode([one])]
        if not held:
            return ""
        self._held, self._decoder = [], DecodeStream(skip_special_tokens=True)
        try:
            return b"".join(map(self._spelled, held)).decode()
        except UnicodeDecodeError:
            return ""


def _without_leading_space(pre_tokenizer: Any) -> Any:
    """A pre-tokenizer's definition, changed to take its text for one that goes on."""
    if not isinstance(pre_tokenizer, dict):
        return pre_tokenizer
    changed = dict(pre_tokenizer)
    if changed.get("prepend_scheme") == "first":
        changed["prepend_scheme"] = "never"
    if "pretokenizers" in changed:
        changed["pretokenizers"] = [_without_leading_space(p) for p in changed["pretokenizers"]]
    return changed


def _check_post_processor(definition: Any) -> None:
    """ValueError for a template with a special token that it does not define: the library takes
    that for a mistake of its own, and a few of these end the process.

    Definitions of other shapes are left to the library.
    """
    if isinstance(definition, list):
        for part in definition:
            _check_post_processor(part)
    if not isinstance(definition, dict):
        return
    _check_post_processor(definition.get("processors"))
    for text in (definition.get("single"), definition.get("pair")):
        for piece in text if isinstance(text, list) else ():
            match piece:
                case {"SpecialToken": {"id": str(name)}}:
                    if name not in (definition.get("special_tokens") or ()):
                        raise ValueError(f"its post_processor does not say what {name!r} is")

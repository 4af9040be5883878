"""Small talk: what people say for its own sake, and what the assistant answers (`talk.toml`)."""

import tomllib
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

from nano.data.words import Split


@cache
def small_talks(split: Split) -> Sequence[tuple[str, str]]:
    """What is said, with its answer; the last wording of each intent is held out."""
    file = Path(__file__).parent / "talk.toml"
    intents = tomllib.loads(file.read_text(encoding="utf-8"))["intents"]

    def said(intent: dict[str, list[str]]) -> Iterator[str]:
        yield from intent["said"][-1:] if split == "heldout" else intent["said"][:-1]

    return tuple((text, intent["answer"]) for intent in intents for text in said(intent))

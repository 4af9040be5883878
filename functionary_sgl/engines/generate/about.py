"""What an engine tells of itself to a server on another machine."""

from collections.abc import Iterable
from hashlib import sha256

from pydantic import BaseModel, ConfigDict

from functionary_sgl.tokenizer import Tokenizer


class About(BaseModel):
    """model: its path, for people. tokens: the `fingerprint` of its tokenizer.
    context_length, most_running: as of `Engine`.
    vocabulary_size: how many ids the model has; end_ids: those that end a text by themselves.
    sees_images: whether it can be shown any; image_domains: hosts to fetch them from.
    adapters: those that it has loaded, by the names that requests have for them.
    hang_seconds: how long it may be silent before something is wrong.
    """

    model_config = ConfigDict(frozen=True, strict=True)

    version: int
    model: str
    tokens: str
    context_length: int
    most_running: int
    vocabulary_size: int
    end_ids: list[int]
    sees_images: bool
    image_domains: list[str]
    adapters: dict[str, str]
    hang_seconds: int

    @property
    def stamp(self) -> str:
        """What each of its answers bears: one with another would have come from another model."""
        return f"{self.version}-{self.tokens}-{self.vocabulary_size}"


def fingerprint(tokenizer: Tokenizer) -> str:
    """What two tokenizers have in common that have the same control tokens, and as many ids."""
    return _digest(tokenizer.control_ids.values(), tokenizer.most_id)


def _digest(control_ids: Iterable[int], most_id: int) -> str:
    return sha256(repr((sorted(control_ids), most_id)).encode()).hexdigest()[:16]

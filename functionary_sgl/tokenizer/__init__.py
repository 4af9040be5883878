"""Text to token ids and back; the room below all others."""

from functionary_sgl.tokenizer.control import ControlTokens
from functionary_sgl.tokenizer.tokenizer import TextStream, Tokenizer

__all__ = ["ControlTokens", "TextStream", "Tokenizer"]

"""The prompt as a program gets it."""

from collections.abc import Sequence


class Prompt(str):
    """The prompt's text, with its token ids.

    A program appends it like any text, which is all that SGLang's own interpreter sees of it;
    ours takes the ids.
    """

    token_ids: tuple[int, ...]

    def __new__(cls, text: str, token_ids: Sequence[int]) -> "Prompt":
        prompt = super().__new__(cls, text)
        prompt.token_ids = tuple(token_ids)
        return prompt

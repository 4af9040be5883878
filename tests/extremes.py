"""Sampling fields at the bounds of what the API takes, beside them, and in between."""

import random
from typing import Any

from functionary_sgl.prompt import checkpoint

SIZE = checkpoint.load(str(checkpoint.EMBEDDED)).tokenizer.size
TINY, LEAST = 5e-324, 1e-38

EXTREMES: dict[str, list[Any]] = {
    "temperature": [0, TINY, LEAST, 1e-7, 1e-6, 1e-3, 1, 2],
    "top_p": [0, TINY, LEAST, 1e-9, 1e-3, 0.5, 1],
    "top_k": [-1, 0, 1, 2, SIZE - 1, SIZE, SIZE + 1, 2**31 - 1],
    "min_p": [0, TINY, LEAST, 0.5, 1],
    "presence_penalty": [-2, -LEAST, 0, 2],
    "frequency_penalty": [-2, -LEAST, 0, 2],
    "repetition_penalty": [TINY, LEAST, 1e-30, 1e-3, 0.01, 1, 2],
    "seed": [-(2**63), -1, 0, 2**63 - 1],
    "logit_bias": [
        {},
        {str(token_id): 100 for token_id in range(1024)},
        {str(token_id): -100 for token_id in range(SIZE - 1024, SIZE)},
        {"0": LEAST, str(SIZE - 1): -TINY},
    ],
    "max_tokens": [1, 2, 12],
    "n": [1, 1, 1, 3],
    "logprobs": [None, True],
    "stop": [None, "a", ["NaN happened", "\x00"]],
    "tool_choice": ["auto", "required", "none"],
}


def extreme(dice: random.Random) -> dict[str, Any]:
    """Some of the fields, for a request with tools."""
    names = dice.sample(list(EXTREMES), dice.randint(1, len(EXTREMES)))
    return {name: dice.choice(EXTREMES[name]) for name in names}

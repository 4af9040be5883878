"""Drawing one of a few candidates, as the engine would among those tokens alone."""

import math
import random
from collections.abc import Sequence

from functionary_sgl.engines.base import Sampling

GREEDY = 1e-5

_WORD = 2**32 - 1


def pick(
    logprobs: Sequence[float], candidates: Sequence[int], sampling: Sampling, position: int
) -> int:
    """The index of the one of `candidates` (ids) that is drawn by their `logprobs`.

    `top_k`, `top_p` and `min_p` apply to the candidates' own distribution. With a seed the draw
    depends on it and on `position` (the count of ids before it) only, and is the engine's own
    (`engines/sglang/scheduler/draw.py`). Penalties do not apply: which function is called twice is
    not a question of style.
    """
    order = sorted(range(len(logprobs)), key=lambda index: -logprobs[index])
    if sampling.temperature <= GREEDY:
        return order[0]
    best = logprobs[order[0]]
    weights = [math.exp((logprobs[index] - best) / sampling.temperature) for index in order]
    kept = _kept(weights, sampling)
    if sampling.seed is None:
        return random.choices(order[:kept], weights[:kept])[0]
    seed = sampling.seed % 2**63
    quotients = [
        weights[place] / noise(seed, position - 1, candidates[order[place]])
        for place in range(kept)
    ]
    return order[quotients.index(max(quotients))]


def noise(seed: int, position: int, token_id: int) -> float:
    """Exponentially distributed, by a hash of its arguments: what a probability is divided by, so
    that the greatest quotient is drawn. `position` is of the token before the one that is drawn."""
    key = 0x9E3779B9
    for word in (seed >> 32 & _WORD, seed & _WORD, position):
        key = _mixed(key ^ word)
    return -math.log((_mixed(key ^ _mixed(token_id + 1)) + 0.5) / 2**32)


def _mixed(word: int) -> int:
    word = (word ^ word >> 16) * 0x21F0AAAD & _WORD
    word = (word ^ word >> 15) * 0x735A2D97 & _WORD
    return word ^ word >> 15


def _kept(weights: Sequence[float], sampling: Sampling) -> int:
    """How many of the candidates, heaviest first, are in the draw; at least one."""
    kept = min(sampling.top_k, len(weights)) if sampling.top_k > 0 else len(weights)
    total, mass = sum(weights), 0.0
    for index in range(kept):
        if index and (mass > sampling.top_p * total or weights[index] < sampling.min_p):
            return index
        mass += weights[index]
    return kept

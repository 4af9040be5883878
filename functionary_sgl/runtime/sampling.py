"""Drawing one of a few candidates, as the engine would among those tokens alone."""

import math
import random
from collections.abc import Sequence

from functionary_sgl.engines.base import Sampling

GREEDY = 1e-5


def pick(logprobs: Sequence[float], sampling: Sampling, position: int) -> int:
    """The index of the candidate drawn from `logprobs`.

    `top_k`, `top_p` and `min_p` apply to the candidates' own distribution. With a seed the draw
    depends on it and on `position` (the count of ids before it) only. Penalties do not apply:
    which function is called twice is not a question of style.
    """
    order = sorted(range(len(logprobs)), key=lambda index: -logprobs[index])
    if sampling.temperature <= GREEDY:
        return order[0]
    best = logprobs[order[0]]
    weights = [math.exp((logprobs[index] - best) / sampling.temperature) for index in order]
    kept = _kept(weights, sampling)
    # Strings hash alike in every process when random is given them as a seed.
    seed = None if sampling.seed is None else f"{sampling.seed}:{position}"
    return random.Random(seed).choices(order[:kept], weights[:kept])[0]


def _kept(weights: Sequence[float], sampling: Sampling) -> int:
    """How many of the candidates, heaviest first, are in the draw; at least one."""
    kept = min(sampling.top_k, len(weights)) if sampling.top_k > 0 else len(weights)
    total, mass = sum(weights), 0.0
    for index in range(kept):
        if index and (mass >= sampling.top_p * total or weights[index] < sampling.min_p):
            return index
        mass += weights[index]
    return kept

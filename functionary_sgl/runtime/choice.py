"""One `select` of a program: a walk down the tree of the choices' token ids.

Where all choices agree on the next id, it is taken; where they part, the engine tells how likely
each continuation is. The model is asked only where there is something to decide, and what it
decides on is the tokenization that it was trained on. At temperature 0 this is SGLang's
`greedy_token_selection`.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

from functionary_sgl.engines.base import Sampling, Scores
from functionary_sgl.runtime.sampling import pick

Score = Callable[[Sequence[int], Sequence[int]], Awaitable[Scores]]


class _Told(NamedTuple):
    text: str
    place: int


def told_apart(texts: Sequence[str], followed: Sequence[str]) -> list[_Told]:
    """`texts` with their places among them, none of which begins another: one that does comes once
    with each of `followed` behind it."""
    found = []
    for index, text in enumerate(texts):
        begins = any(other.startswith(text) for other in texts if other != text)
        found += [_Told(text + end, index) for end in (followed if begins and followed else ("",))]
    return found


async def choose(
    before: Sequence[int], choices: Sequence[Sequence[int]], sampling: Sampling, score: Score
) -> int:
    """The index of the choice that follows the ids `before`; no choice may begin another."""
    left, depth = list(range(len(choices))), 0
    while len(left) > 1:
        candidates = list(dict.fromkeys(choices[index][depth] for index in left))
        taken = candidates[0]
        if len(candidates) > 1:
            prefix = [*before, *choices[left[0]][:depth]]
            scores = await score(prefix, candidates)
            taken = candidates[pick(scores.logprobs, candidates, sampling, len(prefix))]
        left = [index for index in left if choices[index][depth] == taken]
        depth += 1
    return left[0]

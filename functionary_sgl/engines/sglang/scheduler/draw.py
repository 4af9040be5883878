"""Drawing tokens by a seed.

Each token's probability is divided by an exponentially distributed noise, and the token with the
greatest quotient is drawn: each is with its probability (the Gumbel-max trick). The noise depends
on the seed, the position and the token's id alone, so a draw depends neither on the device nor on
what else is in the batch, and small errors of the probabilities seldom change it.
"""

from collections.abc import Sequence

import torch

_WORD = 2**32 - 1


def draw(probs: torch.Tensor, seeds: Sequence[int], positions: torch.Tensor) -> torch.Tensor:
    """An id for each row of `probs` (rows, ids), drawn by its seed (64 bits count) and position.

    Rows need not add up to 1; ids of probability 0 are never drawn.
    """
    return probs.double().div_(noise(probs.shape[1], seeds, positions)).argmax(-1)


def noise(count: int, seeds: Sequence[int], positions: torch.Tensor) -> torch.Tensor:
    """That of each of `count` ids in rows of these seeds and positions: (rows, ids)."""
    keys = torch.full_like(positions, 0x9E3779B9, dtype=torch.int64)
    low = torch.tensor([seed & _WORD for seed in seeds], device=positions.device)
    high = torch.tensor([seed >> 32 & _WORD for seed in seeds], device=positions.device)
    for word in (high, low, positions):
        keys = _mixed(keys ^ word)
    ids = _mixed(torch.arange(1, count + 1, device=positions.device))
    hashes = _mixed(keys.view(-1, 1) ^ ids)
    # In float32 a noise could be 0, and its id would be drawn however improbable it is.
    return hashes.double().add_(0.5).div_(2.0**32).log_().neg_()


def kept(
    probs: torch.Tensor, top_ks: torch.Tensor, top_ps: torch.Tensor, min_ps: torch.Tensor
) -> torch.Tensor:
    """`probs` (rows, ids), with those set to 0 that a row's top_k, top_p or min_p exclude.

    `top_ks` are 1 at least. All three apply to the probabilities as they are, as in SGLang.
    """
    ordered, ids = probs.sort(dim=-1, descending=True, stable=True)
    ranks = torch.arange(probs.shape[1], device=probs.device)
    before = ordered.cumsum(-1) - ordered
    # Where all is wanted, sums that are rounded must not exclude anything.
    top_ps = top_ps.masked_fill(top_ps >= 1, torch.inf)
    excluded = (
        (ranks >= top_ks.view(-1, 1))
        | (before > top_ps.view(-1, 1))
        | (ordered < ordered[:, :1] * min_ps.view(-1, 1))
    )
    return probs.masked_fill(torch.zeros_like(excluded).scatter(-1, ids, excluded), 0)


def _mixed(words: torch.Tensor) -> torch.Tensor:
    """A hash of 32 bits of each of `words` (int64, below 2**32), which are overwritten.

    A bijection found by https://github.com/skeeto/hash-prospector; both factors are below 2**31,
    so that products fit.
    """
    words.bitwise_xor_(words >> 16).mul_(0x21F0AAAD).bitwise_and_(_WORD)
    words.bitwise_xor_(words >> 15).mul_(0x735A2D97).bitwise_and_(_WORD)
    return words.bitwise_xor_(words >> 15)

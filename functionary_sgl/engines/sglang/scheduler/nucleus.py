"""Drawing on a processor without sorting a vocabulary.

Where top_k, top_p or min_p bound what may be drawn, SGLang sorts all probabilities of a row, and it
draws a noise for each id: of 128,256 ids that takes longer than a pass of a small model, and a pass
that verifies drafts has up to 16 rows of each request. Here an id is drawn from the row as it is.
If it is not among those that are kept, it is drawn again among the more probable ones: what is kept
are always the most probable, so none of them is lost, and each has its share of what is left.

Imported inside SGLang's scheduler process, never by the rest of this package.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from sglang.srt.plugins.hook_registry import HookRegistry, HookType

from functionary_sgl.engines.sglang.scheduler.draw import noise

Row = np.ndarray[Any, np.dtype[np.float32]]
Mask = np.ndarray[Any, np.dtype[np.bool_]]
Draw = Callable[[Row], int]


class Bounds(NamedTuple):
    """Of a row; `top_k` is 1 at least."""

    top_k: int
    top_p: float
    min_p: float


def on_processors() -> None:
    """Draw so in this process where probabilities are on a processor. Takes effect when SGLang
    loads its plugins."""
    sampler = "sglang.srt.layers.sampler"
    bounded = f"{sampler}.top_k_top_p_min_p_sampling_from_probs_torch"
    HookRegistry.register(bounded, _sample_bounded, HookType.AROUND)
    HookRegistry.register(f"{sampler}.sampling_from_probs_torch", _sample, HookType.AROUND)


def _sample_bounded(
    original: Callable[..., Any],
    probs: torch.Tensor,
    top_ks: torch.Tensor,
    top_ps: torch.Tensor,
    min_ps: torch.Tensor,
    *args: Any,
    **told: Any,
) -> Any:
    """`original`, but for what SGLang's own server can tell of the probabilities that it kept."""
    if not probs.is_cpu or told.get("return_filtered_probs"):
        return original(probs, top_ks, top_ps, min_ps, *args, **told)
    draw = by_chance()
    rows = zip(probs.float().numpy(), _bounds(top_ks, top_ps, min_ps), strict=True)
    return torch.tensor([drawn(row, bound, draw) for row, bound in rows], dtype=torch.int32)


def _sample(original: Callable[..., torch.Tensor], probs: torch.Tensor, **told: Any) -> Any:
    if not probs.is_cpu:
        return original(probs, **told)
    draw = by_chance()
    return torch.tensor([draw(row) for row in probs.float().numpy()], dtype=torch.int32)


def drawn_by_seed(
    probs: torch.Tensor, seeds: Sequence[int], positions: torch.Tensor, *bounds: torch.Tensor
) -> torch.Tensor:
    """What `draw` draws of what is `kept` (`draw.py`). `bounds`: top_ks, top_ps and min_ps."""
    rows = zip(probs.float().numpy(), _bounds(*bounds), seeds, positions.split(1), strict=True)
    return torch.tensor([drawn(row, bound, by_seed(*place)) for row, bound, *place in rows])


def _bounds(top_ks: torch.Tensor, top_ps: torch.Tensor, min_ps: torch.Tensor) -> list[Bounds]:
    columns = top_ks.tolist(), top_ps.tolist(), min_ps.tolist()
    return [Bounds(*bound) for bound in zip(*columns, strict=True)]


def drawn(row: Row, bound: Bounds, draw: Draw) -> int:
    """The id that `draw` takes from probabilities in which those of ids that are not kept are 0.
    It may be asked several times, with ever fewer that are not."""
    best = int(row.argmax())
    if bound.top_k == 1 or row[best] > bound.top_p or row[best] == 1:
        return best
    left = row
    while not is_kept(row, token_id := draw(left), bound):
        left = np.where(_ahead(left, token_id), left, np.float32(0))
    return token_id


def is_kept(row: Row, token_id: int, bound: Bounds) -> bool:
    """Whether an id may be drawn."""
    ahead = _ahead(row, token_id)
    return bool(
        np.count_nonzero(ahead) < bound.top_k
        and row[token_id] >= row.max() * bound.min_p
        and (bound.top_p >= 1 or row[ahead].sum(dtype=np.float64) <= bound.top_p)
    )


def _ahead(row: Row, token_id: int) -> Mask:
    """Which ids are more probable. Of those that are equally so the lower come first."""
    found: Mask = row > row[token_id]
    found[:token_id] |= row[:token_id] == row[token_id]
    return found


def by_chance() -> Draw:
    """For the rows of a pass. However often they are asked, PyTorch's generator, which is to stay
    the same in all processes of an engine, goes on by one number."""
    dice = np.random.default_rng(int(torch.randint(2**62, ())))
    return lambda row: at_share(row, dice.random())


def at_share(row: Row, share: float) -> int:
    """The id at `share` (below 1) of the sum of the row, none whose probability is 0."""
    sums = row.cumsum(dtype=np.float64)
    sought = min(share * sums[-1], np.nextafter(sums[-1], 0))
    return int(sums.searchsorted(sought, side="right"))


def by_seed(seed: int, position: torch.Tensor) -> Draw:
    """As `draw` draws (`draw.py`)."""
    known: list[np.ndarray[Any, np.dtype[np.float64]]] = []

    def draw(row: Row) -> int:
        if not known:  # most rows need none
            known.append(noise(len(row), [seed], position)[0].numpy())
        return int((row / known[0]).argmax())

    return draw

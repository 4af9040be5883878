"""Small passes of a small model on one core.

All cores have to wait for each other some hundred times in a pass. Where each has only microseconds
to compute in between, that gains nothing, and if one of them has something else to do meanwhile,
such as to write the answers, a pass takes several times as long (`benchmarks/threads.py`).

Imported inside SGLang's scheduler process, never by the rest of this package.
"""

from typing import Any

import torch
from sglang.srt.plugins.hook_registry import HookRegistry, HookType

ALONE = 2**29
"""Numbers that are multiplied in a pass that one core computes: it takes it some 20 ms."""


def on_processors() -> None:
    """Have this process go so. Takes effect when SGLang loads its plugins."""
    target = "sglang.srt.model_executor.model_runner.ModelRunner.forward"
    HookRegistry.register(target, share, HookType.BEFORE)


def share(runner: Any, batch: Any, *_: Any, **__: Any) -> None:
    """Set how many threads compute the pass of SGLang's model runner over this batch, and what is
    drawn from it: all that there were at first, or one."""
    if not hasattr(runner, "functionary_cores"):
        weights = sum(weight.numel() for weight in runner.model.parameters())
        runner.functionary_cores = torch.get_num_threads(), weights
    cores, weights = runner.functionary_cores
    torch.set_num_threads(1 if len(batch.positions) * weights <= ALONE else cores)

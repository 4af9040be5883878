"""A fence behind the bounds of requests: numbers that are none end a request, not the process.

SGLang's sampler raises where probabilities are not finite, which ends the scheduler and with it
every client's turn. Here such a row is drawn from evenly instead, so that the batch goes on, and
what was drawn is then replaced by an id that no model has. SGLang ends a request that gets one, as
it does where a kernel returned nonsense, and `engine.py` tells its client.

Imported inside SGLang's scheduler process, never by the rest of this package.
"""

from collections.abc import Callable
from typing import Any

import torch
from sglang.srt.plugins.hook_registry import HookRegistry, HookType

GREATEST = 1e30
"""A logit of more than this has overflowed, or will when it is divided by a temperature."""


def fence() -> None:
    """Set it up in this process. Takes effect when SGLang loads its plugins."""
    sampler = "sglang.srt.layers.sampler.Sampler.forward"
    HookRegistry.register(sampler, _sample, HookType.AROUND)
    relay = "sglang.srt.managers.scheduler.Scheduler._relay_forward_payload"
    HookRegistry.register(relay, _mark, HookType.AFTER)


def _sample(
    original: Callable[..., torch.Tensor],
    sampler: Any,
    logits_output: Any,
    info: Any,
    *args: Any,
    **kwargs: Any,
) -> torch.Tensor:
    """`original`, with the rows that cannot be drawn from made even and noted."""
    logits = logits_output.next_token_logits
    # NaN is greater than nothing; a row without any token left has a best of minus infinity.
    sound = logits.amax(-1).abs() < GREATEST
    logits.masked_fill_(~sound.unsqueeze(1), 0.0)
    logits_output.sound = sound, info.vocab_size
    return original(sampler, logits_output, info, *args, **kwargs)


def _mark(_: Any, scheduler: Any, batch: Any, future_indices: Any, result: Any) -> None:
    """Replace what was drawn for a row that was not sound. The batch that follows has its input
    already: it must not read an id that the model does not have."""
    found = getattr(result.logits_output, "sound", None)
    if found is not None and result.next_token_ids is not None:
        sound, no_id = found
        result.next_token_ids = result.next_token_ids.masked_fill(~sound, no_id)

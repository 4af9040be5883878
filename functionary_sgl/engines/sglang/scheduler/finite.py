"""A fence behind the bounds of requests: numbers that are none end a request, not the process.

SGLang's sampler raises where probabilities are not finite, which ends the scheduler and with it
every client's turn. Here such a row is drawn from evenly instead, so that the batch goes on, and
what was drawn is then replaced by an id that no model has. SGLang ends a request that gets one, as
it does where a kernel returned nonsense, and `engines/generate/meta_info.py` has its client told.

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
    grammar = "sglang.srt.constrained.llguidance_backend.GuidanceGrammar.accept_token"
    HookRegistry.register(grammar, _accept, HookType.AROUND)


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
    # To look costs a GPU more than to write, and a processor less.
    if not (logits.is_cpu and sound.all()):
        logits.masked_fill_(~sound.unsqueeze(1), 0.0)
    logits_output.sound = sound, info.vocab_size
    return original(sampler, logits_output, info, *args, **kwargs)


def marked(logits_output: Any, ids: torch.Tensor) -> torch.Tensor:
    """`ids`, which were drawn by `logits_output`, an id that the model does not have where the row
    was not sound."""
    found = getattr(logits_output, "sound", None)
    if found is None:
        return ids
    sound, no_id = found
    return ids.masked_fill(~sound, no_id)


def _mark(_: Any, scheduler: Any, batch: Any, future_indices: Any, result: Any) -> None:
    """Replace what was drawn for a row that was not sound. The batch that follows has its input
    already: it must not read an id that the model does not have."""
    if result.next_token_ids is not None:
        result.next_token_ids = marked(result.logits_output, result.next_token_ids)


def _accept(original: Callable[[Any, int], None], grammar: Any, token_id: int) -> None:
    """`original`, unless the id is none of the model's: SGLang asks the grammar first, where there
    are drafts, and would end the request for a fault of that."""
    if token_id < grammar.llguidance_tokenizer.vocab_size:
        original(grammar, token_id)

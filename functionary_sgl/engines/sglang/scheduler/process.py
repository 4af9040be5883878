"""Where SGLang's scheduler process begins: what it gets from us before it runs."""

from dataclasses import dataclass
from typing import Any

from functionary_sgl.engines.sglang import llava
from functionary_sgl.engines.sglang.platform import has_accelerator


@dataclass(frozen=True, slots=True)
class Settings:
    """What the scheduler is told of the server.

    cache_bytes: about how much memory compiled grammars may take.
    control_ids: the tokenizer's control tokens, none of whose ids is above `most_id`.
    drafts: whether what is likely to come is verified in one pass.
    """

    cache_bytes: int
    control_ids: tuple[int, ...]
    most_id: int
    drafts: bool = False


def run(settings: Settings, /, *args: Any, **kwargs: Any) -> None:
    """SGLang's `run_scheduler_process` with what this package hangs on its hooks."""
    from sglang.srt.managers.scheduler import run_scheduler_process

    from functionary_sgl.engines.sglang.scheduler import (
        attention,
        batch,
        finite,
        grammar_cache,
        grammar_limits,
        loopback,
        mask,
        pace,
        seeds,
    )
    from functionary_sgl.engines.sglang.scheduler.drafts import algorithm, processors

    llava.register()
    if settings.drafts:
        algorithm.register()
        processors.without_triton()
    if not has_accelerator():
        attention.on_processors()
        mask.on_processors()
        pace.on_processors()
    grammar_cache.bound(settings.cache_bytes)
    grammar_limits.widen()
    batch.know(settings.control_ids, settings.most_id)
    finite.fence()
    seeds.obey()
    loopback.listen_there()
    run_scheduler_process(*args, **kwargs)

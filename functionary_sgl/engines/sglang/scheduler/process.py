"""Where SGLang's processes begin: what they get from us before they run."""

import multiprocessing
import os
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from inspect import signature
from typing import Any

from prometheus_client import values

from functionary_sgl.engines.sglang import llava
from functionary_sgl.engines.sglang.beginnings import forget_handlers
from functionary_sgl.engines.sglang.grammars import Grammars
from functionary_sgl.engines.sglang.platform import has_accelerator
from functionary_sgl.sandbox.walls import die_with_parent


@dataclass(frozen=True, slots=True)
class Settings:
    """What the scheduler is told of the server.

    cache_bytes: about how much memory compiled grammars may take.
    grammars: where it is told what of that they take.
    control_ids: the tokenizer's control tokens, none of whose ids is above `most_id`.
    drafts: whether what is likely to come is verified in one pass.
    attention: whether it is computed our way on a processor.
    beats: where batches are counted, in memory shared with the server.
    """

    cache_bytes: int
    grammars: Grammars
    control_ids: tuple[int, ...]
    most_id: int
    drafts: bool = False
    attention: bool = True
    beats: Any = None


def run(settings: Settings, /, *args: Any, **kwargs: Any) -> None:
    """SGLang's `run_scheduler_process` with what this package hangs on its hooks."""
    _begin()
    from sglang.srt.managers.scheduler import run_scheduler_process
    from sglang.srt.plugins import load_plugins
    from sglang.srt.plugins.hook_registry import HookRegistry

    from functionary_sgl.engines.sglang.scheduler import (
        adapters,
        attention,
        batch,
        beat,
        finite,
        grammar_cache,
        grammar_limits,
        loopback,
        mask,
        nucleus,
        pace,
        seeds,
        threads,
    )
    from functionary_sgl.engines.sglang.scheduler.drafts import algorithm, processors

    rank = _rank(signature(run_scheduler_process).bind(*args, **kwargs).arguments)
    llava.register()
    if settings.drafts:
        algorithm.register()
        processors.without_triton()
    if not has_accelerator():
        if settings.attention:
            attention.on_processors()
        mask.on_processors()
        nucleus.on_processors()
        pace.on_processors()
        threads.on_processors()
    adapters.fit()
    grammar_cache.bound(settings.cache_bytes, settings.grammars.place(rank))
    grammar_limits.widen()
    if settings.beats is not None:
        beat.into(settings.beats)
    batch.know(settings.control_ids, settings.most_id)
    finite.fence()
    seeds.obey()
    loopback.listen_there()
    load_plugins()
    HookRegistry.apply_hooks()  # which the line above does not in a copy of who has loaded them
    run_scheduler_process(*args, **kwargs)


def _rank(asked: Mapping[str, Any]) -> int:
    """Of a scheduler among all, by the arguments of SGLang's function."""
    flags, copy = asked["server_args"], asked["dp_rank"] or 0
    stage = int(copy * flags.pp_size + asked["pp_rank"])
    return int(stage * flags.tp_size + asked["tp_rank"])


def run_detokenizer(*args: Any, **kwargs: Any) -> None:
    """SGLang's `run_detokenizer_process`."""
    _begin()
    from sglang.srt.managers.detokenizer_manager import run_detokenizer_process

    run_detokenizer_process(*args, **kwargs)


def _begin() -> None:
    forget_handlers()
    end_with_parent()
    # Whether metrics are in files, where SGLang has several processes tell them, is settled when
    # this is imported: in the process that this one is a copy of, before they were.
    values.ValueClass = values.get_value_class()  # type: ignore[no-untyped-call]


def end_with_parent() -> None:
    """Be killed when the process ends that started this one, which may have happened already.
    SGLang asks the kernel for the same, but seconds later, and does not look."""
    die_with_parent(signal.SIGKILL)
    parent = multiprocessing.parent_process()
    if parent is not None and os.getppid() != parent.pid:
        os._exit(1)

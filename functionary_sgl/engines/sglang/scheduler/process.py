"""Where SGLang's scheduler process begins: what it gets from us before it runs."""

from typing import Any

from functionary_sgl.engines.sglang import llava


def run(cache_bytes: int, /, *args: Any, **kwargs: Any) -> None:
    """SGLang's `run_scheduler_process` with a grammar cache of about `cache_bytes`, drawing by
    requests' seeds."""
    from sglang.srt.managers.scheduler import run_scheduler_process

    from functionary_sgl.engines.sglang.scheduler import grammar_cache, seeds

    llava.register()
    grammar_cache.bound(cache_bytes)
    seeds.obey()
    run_scheduler_process(*args, **kwargs)

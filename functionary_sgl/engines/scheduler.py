"""SGLang's scheduler process, with a bound on the grammars that it keeps, and seeds.

SGLang 0.5.23 keeps every grammar that it ever compiled, and every failure, until it is told to
flush. Each is keyed by its exact text, so clients with tools of their own fill the memory.
"""

from typing import Any

from cachetools import LRUCache

from functionary_sgl.engines import llava

GRAMMAR_BYTES = 192 * 1024
"""What a compiled grammar takes at least, about; docs/constraints.md has the measurement."""

BYTES_PER_CHARACTER = 20
"""What each character of its source adds at most."""


def run(cache_bytes: int, /, *args: Any, **kwargs: Any) -> None:
    """SGLang's `run_scheduler_process` with a grammar cache of about `cache_bytes`, drawing by
    requests' seeds."""
    from sglang.srt.managers.scheduler import run_scheduler_process

    from functionary_sgl.engines import seeds

    llava.register()
    bound_grammar_cache(cache_bytes)
    seeds.obey()
    run_scheduler_process(*args, **kwargs)


def bound_grammar_cache(cache_bytes: int) -> None:
    """Let the grammar backends of this process keep at most `cache_bytes`, whichever they are.

    Takes effect when SGLang loads its plugins.
    """
    from sglang.srt.plugins.hook_registry import HookRegistry, HookType

    def bound(_: None, backend: Any, *args: Any, **kwargs: Any) -> None:
        backend.cache = LRUCache(cache_bytes, getsizeof=lambda g: min(size(g), cache_bytes))

    target = "sglang.srt.constrained.base_grammar_backend.BaseGrammarBackend.__init__"
    HookRegistry.register(target, bound, HookType.AFTER)


def size(grammar: Any) -> int:
    """About how many bytes one of SGLang's grammar objects takes."""
    return GRAMMAR_BYTES + BYTES_PER_CHARACTER * len(getattr(grammar, "serialized_grammar", ""))

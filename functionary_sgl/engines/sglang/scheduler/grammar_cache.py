"""A bound on the grammars that SGLang keeps.

SGLang 0.5.23 keeps every grammar that it ever compiled, and every failure, until it is told to
flush. Each is keyed by its exact text, so clients with tools of their own fill the memory.
"""

from typing import Any

from cachetools import LRUCache
from sglang.srt.plugins.hook_registry import HookRegistry, HookType

GRAMMAR_BYTES = 192 * 1024
"""What a compiled grammar takes at least, about; docs/gate.md has the measurement."""

BYTES_PER_CHARACTER = 20
"""What each character of its source adds at most."""


def bound(cache_bytes: int) -> None:
    """Let the grammar backends of this process keep at most `cache_bytes`, whichever they are.

    Takes effect when SGLang loads its plugins.
    """

    def keep_bounded(_: None, backend: Any, *args: Any, **kwargs: Any) -> None:
        backend.cache = LRUCache(cache_bytes, getsizeof=lambda g: min(size(g), cache_bytes))

    target = "sglang.srt.constrained.base_grammar_backend.BaseGrammarBackend.__init__"
    HookRegistry.register(target, keep_bounded, HookType.AFTER)


def size(grammar: Any) -> int:
    """About how many bytes one of SGLang's grammar objects takes."""
    return GRAMMAR_BYTES + BYTES_PER_CHARACTER * len(getattr(grammar, "serialized_grammar", ""))

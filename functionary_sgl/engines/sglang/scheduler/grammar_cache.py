"""A bound on the grammars that SGLang keeps, and a count of them.

SGLang 0.5.23 keeps every grammar that it ever compiled, and every failure, until it is told to
flush. Each is keyed by its exact text, so clients with tools of their own fill the memory.
"""

from typing import Any

from cachetools import LRUCache
from sglang.srt.plugins.hook_registry import HookRegistry, HookType

from functionary_sgl.engines.sglang.grammars import KeptGrammars

GRAMMAR_BYTES = 192 * 1024
"""What a compiled grammar takes at least, about; docs/gate.md has the measurement."""

BYTES_PER_CHARACTER = 20
"""What each character of its source adds at most."""


def bound(cache_bytes: int, kept: KeptGrammars) -> None:
    """Let the grammar backends of this process keep at most `cache_bytes`, whichever they are, and
    tell what they have by `kept`.

    Takes effect when SGLang loads its plugins.
    """

    def keep_bounded(_: None, backend: Any, *args: Any, **kwargs: Any) -> None:
        backend.cache = _Cache(cache_bytes, kept)

    target = "sglang.srt.constrained.base_grammar_backend.BaseGrammarBackend.__init__"
    HookRegistry.register(target, keep_bounded, HookType.AFTER)


class _Cache(LRUCache[Any, Any]):
    """In place of SGLang's dictionary, of which it uses what is here."""

    def __init__(self, cache_bytes: int, kept: KeptGrammars) -> None:
        super().__init__(cache_bytes, getsizeof=lambda grammar: min(size(grammar), cache_bytes))
        self._kept = kept

    def get(self, key: Any, default: Any = None) -> Any:
        found = super().get(key, default)
        self._kept.count(hit=found is not None)
        return found

    def __setitem__(self, key: Any, grammar: Any) -> None:
        super().__setitem__(key, grammar)
        self._kept.hold(len(self), int(self.currsize))

    def clear(self) -> None:
        super().clear()
        self._kept.hold(0, 0)


def size(grammar: Any) -> int:
    """About how many bytes one of SGLang's grammar objects takes."""
    return GRAMMAR_BYTES + BYTES_PER_CHARACTER * len(getattr(grammar, "serialized_grammar", ""))

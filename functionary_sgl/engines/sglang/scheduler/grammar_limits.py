"""The limits of llguidance with which schemas were tried, where SGLang compiles them again.

SGLang 0.5.23 leaves llguidance its own, which refuse objects of more than 500 optional properties.
"""

from collections.abc import Callable
from typing import Any

from llguidance import LLMatcher
from sglang.srt.plugins.hook_registry import HookRegistry, HookType

from functionary_sgl.engines.grammar import limits


def widen() -> None:
    """Compile grammars within these limits in this process. Takes effect when SGLang loads its
    plugins."""
    target = "sglang.srt.constrained.llguidance_backend.GuidanceGrammar.__init__"
    HookRegistry.register(target, _compiled, HookType.AROUND)


def _compiled(original: Callable[..., None], grammar: Any, **fields: Any) -> None:
    """Make a `GuidanceGrammar`; without an `ll_matcher`, with one that has our limits."""
    if fields.get("ll_matcher") is None:
        tokenizer, source = fields["llguidance_tokenizer"], fields["serialized_grammar"]
        fields["ll_matcher"] = LLMatcher(tokenizer, source, limits=limits())
    original(grammar, **fields)

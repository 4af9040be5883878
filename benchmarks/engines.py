"""xgrammar and llguidance behind one face, set up as SGLang sets them up."""

import json
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol

import llguidance
import xgrammar
from sglang.srt.constrained.json_schema_validation import validate_xgrammar_json_schema
from transformers import PreTrainedTokenizerFast

from functionary_sgl.chat.schema import JSON_STYLE

END = "<|end|>"


class Engine(Protocol):
    """Compiles for the tokenizer in a `tokenizer.json`."""

    name: str

    def __init__(self, tokenizer_file: str) -> None: ...

    def compile(self, schema: Any) -> "Matcher":
        """Raises ValueError for what is refused."""


class Matcher(Protocol):
    def mask(self) -> None:
        """Compute the mask for the next token."""

    def take(self, token_id: int) -> bool:
        """Take the next token; whether it is allowed."""

    def ended(self) -> bool:
        """Whether the text may end here."""


class LLGuidance:
    name = f"llguidance {version('llguidance')}"

    def __init__(self, tokenizer_file: str) -> None:
        self._tokenizer = llguidance.LLTokenizer(Path(tokenizer_file).read_text("utf-8"))

    def compile(self, schema: Any) -> Matcher:
        text = json.dumps({**schema, **JSON_STYLE})
        grammar = llguidance.LLMatcher.grammar_from_json_schema(text)
        return _LLMatcher(llguidance.LLMatcher(self._tokenizer, grammar, log_level=0))


class _LLMatcher:
    def __init__(self, matcher: Any) -> None:
        self._matcher = matcher
        self._raise()

    def _raise(self) -> None:
        if self._matcher.is_error():
            raise ValueError(self._matcher.get_error())

    def mask(self) -> None:
        self._matcher.compute_bitmask()
        self._raise()

    def take(self, token_id: int) -> bool:
        return bool(self._matcher.try_consume_tokens([token_id]))

    def ended(self) -> bool:
        return bool(self._matcher.is_accepting())


class XGrammar:
    name = f"xgrammar {version('xgrammar')}"

    def __init__(self, tokenizer_file: str) -> None:
        tokenizer = PreTrainedTokenizerFast(tokenizer_file=tokenizer_file, eos_token=END)
        info = xgrammar.TokenizerInfo.from_huggingface(tokenizer)
        self._vocabulary = info.vocab_size
        self._compiler = xgrammar.GrammarCompiler(info, max_threads=1, cache_enabled=False)

    def compile(self, schema: Any) -> Matcher:
        try:
            validate_xgrammar_json_schema(schema)
            compiled = self._compiler.compile_json_schema(json.dumps(schema), any_whitespace=False)
        except RuntimeError as error:
            raise ValueError(str(error)) from error
        return _XMatcher(compiled, self._vocabulary)


class _XMatcher:
    def __init__(self, compiled: Any, vocabulary: int) -> None:
        self._matcher = xgrammar.GrammarMatcher(compiled, terminate_without_stop_token=True)
        self._mask = xgrammar.allocate_token_bitmask(1, vocabulary)

    def mask(self) -> None:
        if not self._matcher.is_terminated():
            self._matcher.fill_next_token_bitmask(self._mask)

    def take(self, token_id: int) -> bool:
        return not self._matcher.is_terminated() and bool(self._matcher.accept_token(token_id))

    def ended(self) -> bool:
        return bool(self._matcher.is_terminated() or self._matcher.is_completed())


ENGINES: tuple[type[Engine], ...] = (LLGuidance, XGrammar)

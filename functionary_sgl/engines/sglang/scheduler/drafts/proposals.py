"""What is likely to come next in a request."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from functionary_sgl.engines.sglang.scheduler.drafts.chain import Chain

_PASS = 40
"""A pass takes as long as so many of its rows, measured with functionary-nano on two cores."""


class Draft(NamedTuple):
    """Proposed ids, of which the first `forced` are all that the grammar allows."""

    ids: Sequence[int] = ()
    forced: int = 0


NO_DRAFT = Draft()


def drafts(requests: Sequence[Any], most: int) -> list[Draft]:
    """At most `most` ids for each of SGLang's requests: the more requests, the less of a pass is
    saved by an id, and the likelier it has to be."""
    worth = len(requests) / (_PASS + len(requests))
    return [_draft(request, most, worth) for request in requests]


def _draft(request: Any, most: int, worth: float) -> Draft:
    """None without a grammar, where hardly anything can be foreseen, and none with penalties: of a
    pass, SGLang counts the last id alone for them."""
    grammar, params = request.grammar, request.sampling_params
    most = min(most, params.max_new_tokens - len(request.output_ids) - 1)
    if most <= 0 or grammar is None or grammar.finished or _is_penalized(params):
        return NO_DRAFT
    tokenizer = grammar.llguidance_tokenizer
    known = _known(request, tokenizer)
    known.listen(request.output_ids, tokenizer)
    chain = Chain(grammar.ll_matcher, tokenizer, known.said, most, worth)
    forced = len(chain.ids)
    chain.foresee(known.prompt, known.ends)
    return Draft(chain.ids, forced)


def _is_penalized(params: Any) -> bool:
    return bool(
        params.frequency_penalty
        or params.presence_penalty
        or params.repetition_penalty != 1
        or params.min_new_tokens
    )


@dataclass
class _Known:
    """What is kept of a request: the `prompt` as text, the ids that end the answer, and what it has
    `said`, which is so many ids. All of that, since only its beginning tells where in a call it is.
    """

    prompt: bytes
    ends: Sequence[int]
    said: bytes = b""
    heard: int = 0

    def listen(self, ids: Sequence[int], tokenizer: Any) -> None:
        """Take what has been added to the answer."""
        self.said += tokenizer.decode_bytes(ids[self.heard :])
        self.heard = len(ids)


def _known(request: Any, tokenizer: Any) -> _Known:
    """Made once for each request."""
    if not hasattr(request, "functionary_known"):
        # Others are SGLang's own, in the place of an image.
        read = [one for one in request.origin_input_ids if 0 <= one < tokenizer.vocab_size]
        # The line break ends the prompt's last word.
        prompt = tokenizer.decode_bytes(read) + b"\n"
        told = request.sampling_params.stop_token_ids or (), request.eos_token_ids or ()
        request.functionary_known = _Known(prompt, sorted(frozenset().union(*told)))
    known: _Known = request.functionary_known
    return known

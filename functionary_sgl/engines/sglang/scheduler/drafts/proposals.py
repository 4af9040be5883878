"""What is likely to come next in a request."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

COPIED = {3: 10, 2: 8, 1: 6}
"""How many ids are proposed again behind so many that agree: the more agree, the likelier they
follow."""


class Draft(NamedTuple):
    """Proposed ids, of which the first `forced` are all that the grammar allows."""

    ids: Sequence[int] = ()
    forced: int = 0


NO_DRAFT = Draft()


def draft(request: Any, most: int) -> Draft:
    """At most `most` ids for one of SGLang's requests.

    None without a grammar, where hardly anything can be foreseen, and none with penalties: of a
    pass, SGLang counts the last id alone for them.
    """
    grammar, params = request.grammar, request.sampling_params
    most = min(most, params.max_new_tokens - len(request.output_ids) - 1)
    if most <= 0 or grammar is None or grammar.finished or _is_penalized(params):
        return NO_DRAFT
    matcher = grammar.ll_matcher
    forced = matcher.compute_ff_tokens()[:most]
    known = _whole(grammar, forced)[:most]
    copied = _copied(request, known)[: most - len(known)]
    if len(known) == len(forced) and not copied:
        return Draft(forced, len(forced))
    ids = known + copied
    return Draft(ids[: matcher.deep_copy().try_consume_tokens(ids)], len(forced))


def _whole(grammar: Any, forced: list[int]) -> list[int]:
    """`forced`, and the rest of the text that is: its last tokens may be others, if what follows
    it is a part of them."""
    tokenizer, told = grammar.llguidance_tokenizer, grammar.ll_matcher.compute_ff_bytes()
    known: list[int] = tokenizer.tokenize_bytes(told) if told else []
    return known if known[: len(forced)] == forced else forced


def _is_penalized(params: Any) -> bool:
    return bool(
        params.frequency_penalty
        or params.presence_penalty
        or params.repetition_penalty != 1
        or params.min_new_tokens
    )


def _copied(request: Any, ahead: Sequence[int]) -> list[int]:
    """What followed the last ids of `request`, `ahead` among them, where its prompt last has as
    many of them as can be."""
    prompt = _prompt(request)
    longest = max(COPIED)
    last = [*request.output_ids[-longest:], *ahead][-longest:]
    places = np.arange(1, len(prompt))
    start = None
    for count, token_id in enumerate(reversed(last), start=1):
        places = places[places >= count]
        places = places[prompt[places - count] == token_id]
        if not len(places):
            break
        start, most = int(places[-1]), COPIED[count]
    if start is None:
        return []
    following: list[int] = prompt[start : start + most].tolist()
    return following


def _prompt(request: Any) -> Any:
    """The ids of the prompt as an array, made once."""
    if not hasattr(request, "functionary_prompt"):
        request.functionary_prompt = np.asarray(request.origin_input_ids, dtype=np.int64)
    return request.functionary_prompt

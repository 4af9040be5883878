"""Turns that go on from a text or from ids, without a conversation."""

import asyncio
from collections.abc import Sequence

from functionary_sgl import record
from functionary_sgl.adapters import Adapter
from functionary_sgl.checked_turn import (
    CheckedTurn,
    check_fits,
    check_ids,
    check_known,
    salt_of,
    within_context,
)
from functionary_sgl.engines.base import Sampling
from functionary_sgl.errors import RequestError
from functionary_sgl.model import Model
from functionary_sgl.runtime.prompt import Prompt
from functionary_sgl.turns import Offer
from functionary_sgl.turns.completion import completion


async def prepare_text(
    model: Model,
    text: str | Sequence[int],
    param: str,
    sampling: Sampling,
    max_tokens: int | None,
    top_logprobs: int | None = None,
    adapter: Adapter | None = None,
    cache_salt: str = "",
) -> CheckedTurn:
    """The turn of `model` that goes on from `text`, or from the ids of one, which the request has
    in `param`; the rest as in `Model.prepare`.

    What looks like a control token in a text is text. Raises RequestError for ids that the model
    does not have, and for a prompt that is empty, or too long.
    """
    record.current().model = model.names[0]
    record.current().adapter = "" if adapter is None else adapter.name
    check_ids(sampling, model.prompter.tokenizer.size)
    prompt = await asyncio.to_thread(prompt_of, model, text, param)
    key = None if adapter is None else adapter.key
    return CheckedTurn(
        program=completion,
        prompt=prompt,
        offer=Offer(settled=True),
        sampling=sampling,
        max_tokens=model.budget(len(prompt.token_ids), max_tokens, param),
        stop_token_ids=model.prompter.stop_token_ids,
        last_input=str(prompt),
        trims_text=False,
        continues=True,
        top_logprobs=top_logprobs,
        adapter=key,
        cache_salt=cache_salt,
        salt=salt_of(sampling, key, cache_salt),
        answerer=adapter,
    )


def prompt_of(model: Model, text: str | Sequence[int], param: str) -> Prompt:
    """`text` as a prompt, with what the tokenizer puts before every prompt; ids are taken as they
    are. Raises RequestError as above."""
    tokenizer, most = model.prompter.tokenizer, model.engine.context_length
    if not isinstance(text, str):
        check_prompt_ids(model, text, param)
        return Prompt(tokenizer.decode(list(text)), text)
    with within_context(most, param):
        ids = [*tokenizer.bos_ids, *tokenizer.encode(text, leading=True, most=most)]
    check_fits(len(ids), most, param)
    if not ids:
        raise RequestError("The prompt is empty, and this model begins with no token.", param=param)
    return Prompt(text, ids)


def check_prompt_ids(model: Model, ids: Sequence[int], param: str) -> None:
    """RequestError for ids that the model does not have, and for none at all."""
    check_known(ids, model.prompter.tokenizer.size, param)
    if not ids:
        raise RequestError("The prompt has no tokens.", param=param)

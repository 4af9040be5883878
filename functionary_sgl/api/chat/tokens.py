"""POST /v1/tokenize and /v1/detokenize, in vLLM's shape: texts, and what chat requests become."""

import asyncio
from functools import partial
from typing import Any

from fastapi import APIRouter, Request

from functionary_sgl.api.answers import JSONResponse
from functionary_sgl.api.bodies import Body, parsed
from functionary_sgl.api.callers import caller
from functionary_sgl.api.chat import intake
from functionary_sgl.api.chat.requests import ChatRequest
from functionary_sgl.api.described import reference, takes
from functionary_sgl.api.salt import cache_salt
from functionary_sgl.api.sampling import TokenId
from functionary_sgl.caller import Caller
from functionary_sgl.checked_turn import check_fits, salt_of, within_context
from functionary_sgl.errors import RequestError
from functionary_sgl.model import Model
from functionary_sgl.text_turn import check_prompt_ids, prompt_of

router = APIRouter()


class TokenizeTextRequest(Body):
    """A text; `add_special_tokens`: with what the tokenizer puts before every prompt."""

    model: str | None = None
    prompt: str
    add_special_tokens: bool | None = None
    return_token_strs: bool | None = None


class TokenizeChatRequest(ChatRequest):
    """A chat request, of which all counts that its prompt is made of."""

    return_token_strs: bool | None = None


class DetokenizeRequest(Body):
    """Ids of tokens."""

    model: str | None = None
    tokens: list[TokenId]


TOKENIZED = {"anyOf": [reference(TokenizeTextRequest), reference(TokenizeChatRequest)]}


@router.post("/tokenize", include_in_schema=False)
@router.post("/v1/tokenize", openapi_extra=takes(TOKENIZED))
async def tokenize(request: Request) -> JSONResponse:
    """The ids of a text, or of all that a model reads before it answers a chat request."""
    model: Model = request.app.state.model
    read = partial(_tokenized, model=model, caller=caller(request))
    return JSONResponse(await parsed(request, read))


@router.post("/detokenize", include_in_schema=False)
@router.post("/v1/detokenize", openapi_extra=takes(reference(DetokenizeRequest)))
async def detokenize(request: Request) -> JSONResponse:
    """The text of ids, control tokens as they are spelled."""
    model: Model = request.app.state.model
    asked = await parsed(request, DetokenizeRequest.from_json)
    model.adapter(asked.model)
    check_prompt_ids(model, asked.tokens, "tokens")
    text = await asyncio.to_thread(model.prompter.tokenizer.decode, asked.tokens)
    return JSONResponse({"prompt": text})


def _tokenized(body: bytes, model: Model, caller: Caller) -> dict[str, Any]:
    given = Body.from_json(body).model_extra or {}
    if "messages" in given and "prompt" in given:
        raise RequestError("'messages' and 'prompt' are both given; send one.", param="prompt")
    if "messages" in given:
        chat = TokenizeChatRequest.from_json(body)
        intake.check(chat)
        return _told(_of_chat(chat, model, caller), model, chat.return_token_strs)
    text = TokenizeTextRequest.from_json(body)
    model.adapter(text.model)
    return _told(_of_text(text, model), model, text.return_token_strs)


def _told(ids: list[int], model: Model, texts: bool | None) -> dict[str, Any]:
    pieces = map(model.prompter.tokenizer.token_bytes, ids)
    return {
        "count": len(ids),
        "max_model_len": model.engine.context_length,
        "tokens": ids,
        "token_strs": [piece.decode(errors="replace") for piece in pieces] if texts else None,
    }


def _of_text(asked: TokenizeTextRequest, model: Model) -> list[int]:
    if not asked.prompt:
        return []
    ids = list(prompt_of(model, asked.prompt, "prompt").token_ids)
    plain = asked.add_special_tokens is False
    return ids[len(model.prompter.tokenizer.bos_ids) :] if plain else ids


def _of_chat(asked: TokenizeChatRequest, model: Model, caller: Caller) -> list[int]:
    """With what its client's salt and the model's adapter have been told before, as in a turn."""
    adapter, most = model.adapter(asked.model), model.engine.context_length
    drawing = intake.sampling(asked, model.defaults)
    key = None if adapter is None else adapter.key
    salt = salt_of(drawing, key, cache_salt(caller, asked.cache_salt))
    conversation = model.prompter.in_first_order(intake.conversation(asked), salt)
    with within_context(most, conversation.messages_param):
        prompt = model.prompter.prompt(conversation, salt, most)
    check_fits(len(prompt.token_ids), most, conversation.messages_param)
    return list(prompt.token_ids)

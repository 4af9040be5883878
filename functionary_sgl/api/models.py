"""GET /v1/models."""

from typing import Any

from fastapi import APIRouter, Request

from functionary_sgl.api.answers import JSONResponse
from functionary_sgl.model import Model

router = APIRouter()


@router.get("/v1/models")
async def list_models(request: Request) -> JSONResponse:
    """The names that requests may use, those of adapters last."""
    model: Model = request.app.state.model
    names = *model.names, *model.adapters
    data = [_card(model, name, request.app.state.started) for name in names]
    return JSONResponse({"object": "list", "data": data})


@router.get("/v1/models/{name:path}")
async def retrieve_model(request: Request, name: str) -> JSONResponse:
    """One model by its name, which may be a path."""
    model: Model = request.app.state.model
    known = name if name in (*model.names, *model.adapters) else name.rstrip("/")
    return JSONResponse(_card(model, known, request.app.state.started))


def _card(model: Model, name: str, created: int) -> dict[str, Any]:
    """As vLLM and SGLang have it: an adapter's `root` is its place, its `parent` the model. Raises
    NotFound."""
    adapter = model.adapter(name)
    return {
        "id": name,
        "object": "model",
        "created": created,
        "owned_by": "functionary-sgl",
        "root": model.names[0] if adapter is None else adapter.place,
        "parent": None if adapter is None else model.names[0],
        "max_model_len": model.engine.context_length,
        "template": {"name": model.prompter.format.name, "reason": model.reason},
    }

"""GET /v1/models and GET /health."""

from typing import Any

from fastapi import APIRouter, Request

from functionary_sgl.api.responses import JSONResponse
from functionary_sgl.errors import NotFound
from functionary_sgl.model import Model

router = APIRouter()


@router.get("/v1/models")
async def list_models(request: Request) -> JSONResponse:
    """The names that requests may use."""
    model = request.app.state.model
    data = [_card(model, name, request.app.state.started) for name in model.names]
    return JSONResponse({"object": "list", "data": data})


@router.get("/v1/models/{name:path}")
async def retrieve_model(request: Request, name: str) -> JSONResponse:
    """One model by its name."""
    model = request.app.state.model
    if name not in model.names:
        raise NotFound(f"The model `{name}` does not exist.", code="model_not_found")
    return JSONResponse(_card(model, name, request.app.state.started))


@router.get("/health")
async def health() -> JSONResponse:
    """200 for as long as the server answers; it ends itself when its engine is gone."""
    return JSONResponse({"status": "ok"})


def _card(model: Model, name: str, created: int) -> dict[str, Any]:
    return {
        "id": name,
        "object": "model",
        "created": created,
        "owned_by": "functionary-sgl",
        "root": model.names[0],
        "max_model_len": model.engine.context_length,
        "template": {"name": model.prompter.format.name, "reason": model.reason},
    }

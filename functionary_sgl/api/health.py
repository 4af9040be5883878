"""GET /health and GET /ready, for those who watch over the server."""

from fastapi import APIRouter, Request

from functionary_sgl.api.answers import JSONResponse
from functionary_sgl.errors import EngineDied, NotReady
from functionary_sgl.model import Model

router = APIRouter()


@router.get("/health")
async def health(request: Request) -> JSONResponse:
    """Whether the server lives: 503 when its engine does not any more, and it is about to end. An
    engine elsewhere that is lost is told of, and may come back."""
    model: Model = request.app.state.model
    if isinstance(model.admission.closed, EngineDied):
        raise model.admission.closed
    trouble = model.engine.trouble()
    return JSONResponse({"status": "ok"} | ({} if trouble is None else {"engine": str(trouble)}))


@router.get("/ready")
async def ready(request: Request) -> JSONResponse:
    """Whether the server would take a request now; 503 with the reason if it would not."""
    model: Model = request.app.state.model
    model.admission.check_open()
    if trouble := model.engine.trouble():
        raise trouble
    if model.admission.full():
        raise NotReady("The server has as many requests as it can take.")
    return JSONResponse({"status": "ok"})

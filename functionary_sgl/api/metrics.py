"""GET /metrics."""

from fastapi import APIRouter
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.responses import Response

from functionary_sgl.metrics import REGISTRY

router = APIRouter()


@router.get("/metrics")
async def metrics() -> Response:
    """What the server has counted, in Prometheus' text format."""
    return Response(generate_latest(REGISTRY), media_type=CONTENT_TYPE_LATEST)

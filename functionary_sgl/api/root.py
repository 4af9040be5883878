"""GET / and GET /version, for whoever looks whether anybody is there, and what."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from functionary_sgl import __version__
from functionary_sgl.api.answers import JSONResponse
from functionary_sgl.api.nearest import endpoints
from functionary_sgl.api.page import page, wants_page

router = APIRouter()


@router.get("/")
async def root(request: Request) -> Response:
    """What this is, and its endpoints; to a browser the playground, unless that is off."""
    if not request.app.state.has_page:
        return await about(request)
    wanted = wants_page(request.headers.get("accept", ""))
    answer = page(request) if wanted else await about(request)
    answer.headers["Vary"] = "Accept"
    return answer


@router.get("/v1", include_in_schema=False)
async def about(request: Request) -> JSONResponse:
    """What this is, and its endpoints."""
    known = [" ".join(endpoint) for endpoint in endpoints(request.app)]
    return JSONResponse({"server": "functionary-sgl", "endpoints": known})


@router.get("/version")
async def version(request: Request) -> JSONResponse:
    """Which version of the server it is, as vLLM tells its own."""
    return JSONResponse({"version": __version__})

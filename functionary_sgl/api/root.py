"""GET / and GET /version, for whoever looks whether anybody is there, and what."""

from fastapi import APIRouter, Request

from functionary_sgl import __version__
from functionary_sgl.api.answers import JSONResponse
from functionary_sgl.api.nearest import endpoints

router = APIRouter()


@router.get("/")
@router.get("/v1", include_in_schema=False)
async def root(request: Request) -> JSONResponse:
    """What this is, and its endpoints."""
    known = [" ".join(endpoint) for endpoint in endpoints(request.app)]
    return JSONResponse({"server": "functionary-sgl", "endpoints": known})


@router.get("/version")
async def version(request: Request) -> JSONResponse:
    """Which version of the server it is, as vLLM tells its own."""
    return JSONResponse({"version": __version__})

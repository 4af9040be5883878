"""The playground: a page that is served at `/` to browsers, with the files that it is made of.

It says nothing of the server, so it is served to everybody; what it asks for needs a key like all
else. Its policy lets it run its own files alone, ask its own server alone, and make no text into
markup.
"""

from collections.abc import Mapping
from functools import cache
from hashlib import blake2b
from pathlib import Path

from fastapi import APIRouter, Request
from starlette.exceptions import HTTPException
from starlette.responses import Response

DIRECTORY = Path(__file__).parent.parent / "page"

PREFIX = "/page/"
"""Of the paths of its files."""

INDEX = "index.html"

_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "connect-src 'self'",
        "img-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    )
)

HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": _POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    # A server that was updated has another page.
    "Cache-Control": "no-cache",
}

_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}

router = APIRouter()


@router.get(PREFIX + "{name:path}", include_in_schema=False)
async def file(request: Request, name: str) -> Response:
    """A file of the page."""
    if name not in _files():
        raise HTTPException(404)
    return page(request, name)


def page(request: Request, name: str = INDEX) -> Response:
    """A file of the page, or that the client has it."""
    body, tag = _files()[name]
    headers = {**HEADERS, "ETag": tag}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    return Response(body, media_type=_TYPES[Path(name).suffix], headers=headers)


def wants_page(accept: str) -> bool:
    """Whether who sends this `Accept` is a browser that shows pages: it names HTML, and would
    sooner have that than JSON."""
    qualities = dict(map(_quality, accept.split(",")))
    html = qualities.get("text/html", 0.0)
    json = next(
        (
            qualities[name]
            for name in ("application/json", "application/*", "*/*")
            if name in qualities
        ),
        0.0,
    )
    return html > json


def _quality(part: str) -> tuple[str, float]:
    name, *parameters = (piece.strip().lower() for piece in part.split(";"))
    given = (parameter[2:] for parameter in parameters if parameter.startswith("q="))
    try:
        return name, float(next(given, "1"))
    except ValueError:
        return name, 0.0


@cache
def _files() -> dict[str, tuple[bytes, str]]:
    """Each file with its entity tag, by name: the only ones there are, whatever is asked for."""
    found = {path.name: path.read_bytes() for path in DIRECTORY.iterdir() if path.suffix in _TYPES}
    return {
        name: (body, f'"{blake2b(body, digest_size=12).hexdigest()}"')
        for name, body in found.items()
    }

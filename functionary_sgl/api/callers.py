"""Whose a request is."""

from fastapi import Request

from functionary_sgl.caller import ANYONE, Caller
from functionary_sgl.errors import Forbidden


def caller(request: Request) -> Caller:
    """Who sent `request`."""
    found: Caller = getattr(request.state, "caller", ANYONE)
    return found


def require_admin(request: Request) -> Caller:
    """A dependency of endpoints for administrators: who sent the admin key. Raises Forbidden for
    all others; where the server has no such key, that is everyone."""
    found = caller(request)
    if not found.is_admin:
        raise Forbidden(
            "This takes the server's admin key. Whoever runs the server can give it one, in "
            "FUNCTIONARY_ADMIN_API_KEY."
        )
    return found

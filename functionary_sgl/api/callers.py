"""Whose a request is."""

from ipaddress import ip_address

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


def require_admin_or_own_machine(request: Request) -> Caller:
    """The same, for what anyone may change who could as well start a server of their own: where
    there are no keys at all, those on this machine need none."""
    found = caller(request)
    if found is ANYONE and _is_here(request):
        return found
    return require_admin(request)


def _is_here(request: Request) -> bool:
    """Whether `request` was sent from this machine."""
    try:
        address = ip_address(request.client.host if request.client else "")
    except ValueError:
        return False
    return (getattr(address, "ipv4_mapped", None) or address).is_loopback

"""Whose prefixes a request shares: those of its key, and of the salt that it asks for itself."""

import hashlib

from starlette.requests import Request


def cache_salt(request: Request, asked: str | None) -> str:
    """Equal for requests that may share what is cached and remembered of prompts; empty where the
    server has no keys and the request asks for nothing. `asked` is the field `cache_salt`, which
    vLLM and SGLang have too."""
    tenant: bytes = getattr(request.state, "tenant", b"")
    if not tenant and not asked:
        return ""
    return hashlib.blake2b((asked or "").encode(), key=tenant, digest_size=16).hexdigest()

"""Whose prefixes a request shares: its caller's, and of the salt that it asks for itself."""

import hashlib

from functionary_sgl.caller import Caller


def cache_salt(caller: Caller, asked: str | None) -> str:
    """Equal for requests that may share what is cached and remembered of prompts; empty where the
    server has no keys and the request asks for nothing. `asked` is the field `cache_salt`, which
    vLLM and SGLang have too."""
    if not caller.tenant and not asked:
        return ""
    return hashlib.blake2b((asked or "").encode(), key=caller.tenant, digest_size=16).hexdigest()

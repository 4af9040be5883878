"""The key and certificate of HTTPS, tried before the engine starts."""

import argparse
import ssl
from pathlib import Path

from functionary_sgl import files
from functionary_sgl.errors import UsageError


def check(options: argparse.Namespace) -> None:
    """UsageError if HTTPS is asked for and cannot be served with what was given."""
    key, certificate = options.ssl_keyfile, options.ssl_certfile
    if key is None and certificate is None:
        return
    if certificate is None:
        raise UsageError("--ssl-keyfile needs --ssl-certfile FILE, its certificate")
    for name in (key, certificate):
        if name is not None:
            files.check_readable(Path(name))
    given = certificate if key is None else f"{key} and {certificate}"
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key, _ask)
    except _HasPassword:
        raise UsageError(f"{key or certificate} has a password; give a key without one") from None
    except (ssl.SSLError, ValueError) as error:
        reason = getattr(error, "reason", None) or "they are not PEM files"
        raise UsageError(f"HTTPS cannot be served with {given}: {reason}") from error


class _HasPassword(Exception):
    pass


def _ask() -> str:
    """Called for a key with a password; the library would ask the terminal for it."""
    raise _HasPassword

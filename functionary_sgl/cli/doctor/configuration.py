"""Flags, keys and the address, tried as `serve` tries them, and given back."""

import argparse
import os
from collections.abc import Iterator, Sequence

from functionary_sgl import tracing
from functionary_sgl.cli import keys, serve, tls
from functionary_sgl.cli.doctor.finding import Finding, tried
from functionary_sgl.cli.listener import bind


def findings(options: argparse.Namespace, others: Sequence[str]) -> Iterator[Finding]:
    """Whether a server with these flags would start; `others` are SGLang's own."""
    yield tried("flags", lambda: _flags(options, others))
    yield tried("HTTPS", lambda: _https(options))
    yield tried("address", lambda: _address(options))
    yield tried("keys", lambda: _keys(options))
    yield from (Finding("note", "keys", warning) for warning in keys.warnings(options))
    yield tried("tracing", lambda: _tracing(options))
    yield Finding("ok", "bounds", _bounds(options))


def _flags(options: argparse.Namespace, others: Sequence[str]) -> str:
    serve.check(options, others)
    if not others:
        return "none of SGLang's own"
    names = ", ".join(other.partition("=")[0] for other in others if other.startswith("--"))
    return f"{names}: SGLang's own, which it looks at when it starts"


def _https(options: argparse.Namespace) -> str:
    tls.check(options)
    if options.ssl_certfile is None:
        return "off: what is sent can be read on its way, unless a proxy in front has HTTPS"
    return f"with the certificate {options.ssl_certfile}"


def _address(options: argparse.Namespace) -> str:
    with bind(options.host, options.port) as listener:
        address, port = listener.getsockname()[:2]
    return f"{address} port {port if options.port else 'any'} is free"


def _keys(options: argparse.Namespace) -> str:
    found = keys.Source.of(options, keys.Variables.taken(dict(os.environ))).read()
    # The address itself is looked at elsewhere; whatever the port, it is the same.
    with bind(options.host, 0) as listener:
        keys.check(options, found, listener.getsockname()[0])
    if not found:
        return "none: everyone who can reach it is let in"
    return f"{len(found)}: {', '.join(key.name for key in found)}"


def _tracing(options: argparse.Namespace) -> str:
    with tracing.exported(options.otlp_endpoint):
        return "off" if options.otlp_endpoint is None else f"to {options.otlp_endpoint}"


def _bounds(options: argparse.Namespace) -> str:
    told = f"{options.max_connections} connections, bodies of {options.max_body_mb} MiB"
    if options.max_output_tokens is None:
        return f"{told}, answers as long as the context holds"
    return f"{told}, answers of {options.max_output_tokens} tokens"

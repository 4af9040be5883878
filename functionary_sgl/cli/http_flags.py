"""Flags that are about HTTP, but for the address, which others need too."""

import argparse
from urllib.parse import urlsplit

from functionary_sgl.api.browsers import ANY
from functionary_sgl.api.limits import MAX_BODIES_BYTES, MAX_BODY_BYTES, MAX_CONNECTIONS
from functionary_sgl.cli import flags

DRAIN_SECONDS = 30
"""How long running answers may take to end when the server is told to stop, by default."""

KEEP_ALIVE_SECONDS = 75
"""How long a connection may be idle, by default: longer than the load balancers in front of it
leave theirs (AWS 60 s, nginx 60 s), or they send a request into one that is just being closed."""

MIB = 2**20


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add them."""
    add = parser.add_argument
    add(
        "--allowed-hosts",
        nargs="+",
        metavar="NAME",
        help="names under which this server is known (.example.com: and all that end so); default: "
        "this machine's, or with keys any",
    )
    add(
        "--allowed-origins",
        nargs="+",
        type=_origin,
        metavar="ORIGIN",
        default=[],
        help="web pages that may use it, such as https://example.com (*: any); default: its own",
    )
    add("--no-page", action="store_true", help="do not show browsers the playground at /")
    add(
        "--drain-timeout",
        type=flags.seconds,
        metavar="SECONDS",
        default=DRAIN_SECONDS,
        help=f"how long answers may take to end when it is told to stop; default: {DRAIN_SECONDS}",
    )
    add(
        "--request-timeout",
        type=flags.positive,
        metavar="SECONDS",
        help="how long an answer may take, waiting included; default: as long as it does",
    )
    add(
        "--timeout-keep-alive",
        type=flags.positive,
        metavar="SECONDS",
        default=KEEP_ALIVE_SECONDS,
        help="how long a connection may be idle, longer than load balancers have it; default: "
        f"{KEEP_ALIVE_SECONDS}",
    )
    add(
        "--max-connections",
        type=flags.positive,
        metavar="N",
        default=MAX_CONNECTIONS,
        help=f"clients beyond that are sent away; default: {MAX_CONNECTIONS}",
    )
    add(
        "--max-body-mb",
        type=_body_mb,
        metavar="N",
        default=MAX_BODY_BYTES // MIB,
        help=f"most MiB of a request's body; default: {MAX_BODY_BYTES // MIB}",
    )


def _origin(text: str) -> str:
    """An origin as browsers send it: one that is written otherwise would never be one."""
    if text in (ANY, "null"):
        return text
    try:
        parts = urlsplit(text)
        name, port = parts.hostname, parts.port
    except ValueError:
        name, port = None, None
    if (
        not name
        or text.lower().rstrip("/") != f"{parts.scheme}://{parts.netloc.lower()}"
        or "@" in parts.netloc
    ):
        raise argparse.ArgumentTypeError(
            f"{text} is no origin of web pages: it is https://NAME, or with a port https://NAME:1234"
        )
    own = f"[{name}]" if ":" in name else name
    is_usual = port is None or (parts.scheme, port) in (("http", 80), ("https", 443))
    return f"{parts.scheme}://{own}" + ("" if is_usual else f":{port}")


def _body_mb(text: str) -> int:
    number, most = flags.positive(text), MAX_BODIES_BYTES // MIB
    if number > most:
        raise argparse.ArgumentTypeError(f"{number} MiB are too many; at most {most} can be taken")
    return number

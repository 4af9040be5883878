"""The API keys of a server: where they come from, and what is kept from seeing them.

A command line is seen by all who may list processes, an environment by every child process. So keys
are best in a file or in `FUNCTIONARY_API_KEY`, which is taken out of the environment here, before
there is any child process; and SGLang, which prints its flags, gets none.
"""

import argparse
import os
from collections.abc import MutableMapping
from ipaddress import ip_address
from pathlib import Path

from functionary_sgl import files
from functionary_sgl.errors import UsageError

VARIABLE = "FUNCTIONARY_API_KEY"


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add the flags that give keys."""
    parser.add_argument(
        "--api-key-file",
        metavar="FILE",
        help=f"serve only those who send a key of this file, one on each line; also {VARIABLE}, "
        "which is a key",
    )
    parser.add_argument(
        "--api-key", metavar="KEY", help="the same with one key, which the process list shows"
    )


def from_environment(environment: MutableMapping[str, str] = os.environ) -> str | None:
    """The key of the environment, which has it no longer; call it before all that reads flags from
    there."""
    return environment.pop(VARIABLE, None)


def read(options: argparse.Namespace, variable: str | None) -> tuple[str, ...]:
    """The keys of `--api-key-file`, and that of `--api-key`, else of the environment (`variable`).

    Raises UsageError for what is no key: who gives one does not want to serve everybody.
    """
    file, flag = options.api_key_file, options.api_key
    found = [] if file is None else _of_file(Path(file))
    of_variable = None if variable is None else _checked(variable, VARIABLE)
    given = of_variable if flag is None else _checked(flag, "--api-key")
    return tuple(dict.fromkeys([*found, *([given] if given else [])]))


def warnings(options: argparse.Namespace, keys: tuple[str, ...], address: str) -> list[str]:
    """What to be told of the keys of a server on this IP address, in a line each."""
    told = []
    if options.api_key is not None:
        told.append(f"--api-key is visible in the process list; use {VARIABLE} or --api-key-file")
    if not keys and not _is_loopback(address):
        told.append(
            f"there is no API key: anyone who can reach {options.host} port {options.port} can "
            f"use this server; set {VARIABLE}, or give --api-key-file"
        )
    return told


def _of_file(file: Path) -> list[str]:
    # Of editors some begin a text with a byte order mark.
    lines = files.read_text(file, encoding="utf-8-sig").split("\n")
    keys = [
        _checked(line, f"{file} line {number}")
        for number, line in enumerate(lines, 1)
        if line.strip() and not line.lstrip().startswith("#")
    ]
    if not keys:
        raise UsageError(f"{file} has no key; put one on each line")
    return keys


def _checked(text: str, source: str) -> str:
    """The key that `text` is; errors name its `source` and never the key."""
    key = text.strip()
    if not key:
        raise UsageError(f"{source} is blank; give a key, or none to serve everyone")
    if any(ord(character) < 32 or ord(character) == 127 for character in key):
        raise UsageError(f"{source} has control characters, which no HTTP header can have")
    try:
        key.encode()
    except UnicodeEncodeError:  # which has the key in it
        raise UsageError(f"{source} is not UTF-8 text") from None
    return key


def _is_loopback(address: str) -> bool:
    ip = ip_address(address)
    return (getattr(ip, "ipv4_mapped", None) or ip).is_loopback

"""The API keys of a server: where they come from, and what is kept from seeing them.

A command line is seen by all who may list processes, an environment by every child process. So keys
are best in a file or in variables, which are taken out of the environment here, before there is any
child process; and SGLang, which prints its flags, gets none.
"""

import argparse
import os
from collections import Counter
from collections.abc import MutableMapping, Sequence
from dataclasses import dataclass, replace
from ipaddress import ip_address
from pathlib import Path
from typing import Self

from functionary_sgl.api.keys import Key, Limits
from functionary_sgl.cli import key_file
from functionary_sgl.errors import UsageError
from functionary_sgl.rate import MOST

VARIABLE = "FUNCTIONARY_API_KEY"
ADMIN_VARIABLE = "FUNCTIONARY_ADMIN_API_KEY"


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add the flags that give keys, and those that say what one may."""
    add = parser.add_argument
    add(
        "--api-key-file",
        metavar="FILE",
        help="serve only those who send a key of this file, one on each line; it is read again on "
        f"SIGHUP; also {VARIABLE}, which is a key",
    )
    add(
        "--api-key",
        metavar="KEY",
        action="append",
        help="the same with one key, which the process list shows; may be repeated",
    )
    add(
        "--admin-api-key",
        metavar="KEY",
        help=f"a key that may administer too; also {ADMIN_VARIABLE}, which the process list hides",
    )
    add("--no-auth", action="store_true", help="let everyone in who can reach the server")
    add(
        "--key-max-parallel-requests",
        type=_limit,
        metavar="N",
        help="how many turns each key may have at once, running and waiting, unless its line of "
        "the file says; default: any number",
    )
    add(
        "--key-max-requests-per-minute",
        type=_limit,
        metavar="N",
        help="how many requests each may send in a minute; default: any number",
    )


def _limit(text: str) -> int:
    if (number := key_file.limit(text)) is None:
        raise argparse.ArgumentTypeError(f"'{text}' is not a whole number from 1 to {MOST}")
    return number


@dataclass(frozen=True)
class Variables:
    """What was in the environment."""

    key: str | None = None
    admin: str | None = None

    @classmethod
    def taken(cls, environment: MutableMapping[str, str] = os.environ) -> Self:
        """The keys of the environment, which has them no longer; call it before all that reads
        flags from there."""
        return cls(environment.pop(VARIABLE, None), environment.pop(ADMIN_VARIABLE, None))


@dataclass(frozen=True)
class Source:
    """Where the keys come from: a `file`, whose content may be another later on, and those that
    are `fixed`. `default` is what a key may whose line does not say."""

    fixed: tuple[Key, ...]
    file: Path | None
    default: Limits

    @classmethod
    def of(cls, options: argparse.Namespace, variables: Variables) -> Self:
        """UsageError for what is no key: who gives one does not want to serve everybody."""
        default = Limits(
            options.key_max_parallel_requests,
            options.key_max_requests_per_minute,
        )
        keys = _given(options.api_key, "--api-key", variables.key, VARIABLE)
        flag = None if options.admin_api_key is None else [options.admin_api_key]
        admin = _given(flag, "--admin-api-key", variables.admin, ADMIN_VARIABLE)
        fixed = [replace(key, limits=default) for key in keys]
        fixed += [replace(key, limits=default, name="admin", is_admin=True) for key in admin]
        file = None if options.api_key_file is None else Path(options.api_key_file)
        return cls(tuple(fixed), file, default)

    def read(self) -> list[Key]:
        """All keys as they are now, what the file says of one before all else; UsageError if it
        cannot be read, or they do not go together."""
        found = [] if self.file is None else key_file.read(self.file, self.default)
        keys: dict[bytes, Key] = {}
        for key in (*found, *self.fixed):
            if keys.setdefault(key.digest, key).is_admin != key.is_admin:
                raise UsageError("the admin key is an API key too; make it another")
        names = Counter(key.name for key in keys.values())
        if twice := [name for name, count in names.items() if count > 1]:
            raise UsageError(f"two API keys have the name {twice[0]}; give each its own")
        return list(keys.values())


def check(options: argparse.Namespace, keys: Sequence[Key], address: str) -> None:
    """UsageError where a server on this IP address would serve strangers without having been told
    to, or was told two things."""
    if options.no_auth and keys:
        raise UsageError("--no-auth lets everyone in, and a key does not: give one of them")
    if not keys and (options.key_max_parallel_requests or options.key_max_requests_per_minute):
        raise UsageError("limits of keys need keys: give --api-key-file, or set " + VARIABLE)
    if not (keys or options.no_auth or is_loopback(address)):
        raise UsageError(
            f"anyone who can reach {options.host} port {options.port} could use this server: set "
            f"{VARIABLE} or give --api-key-file, or --no-auth to let everyone in"
        )


def warnings(options: argparse.Namespace) -> list[str]:
    """What to be told of the keys, in a line each."""
    told = []
    if options.api_key is not None:
        told.append(f"--api-key is visible in the process list; use {VARIABLE} or --api-key-file")
    if options.admin_api_key is not None:
        told.append(f"--admin-api-key is visible in the process list; use {ADMIN_VARIABLE}")
    return told


def _given(
    flag: Sequence[str] | None, flag_name: str, variable: str | None, variable_name: str
) -> list[Key]:
    """The keys of a flag, else that of a variable; both have to be some if they are there."""
    of_variable = [] if variable is None else [key_file.checked(variable, variable_name)]
    of_flag = [key_file.checked(text, flag_name) for text in flag or ()]
    return [Key.of(text) for text in of_flag or of_variable]


def is_loopback(address: str) -> bool:
    """Whether only this machine has this IP address."""
    ip = ip_address(address)
    return (getattr(ip, "ipv4_mapped", None) or ip).is_loopback

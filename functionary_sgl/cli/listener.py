"""The socket that clients connect to, and the open files that its connections take."""

import os
import resource
import socket
from contextlib import ExitStack

from functionary_sgl.api.limits import READ_SECONDS
from functionary_sgl.errors import UsageError

OTHER_FILES = 256
"""Besides connections: pipes to the engine and the sandbox, a model's files while it is loaded."""

SEND_BUFFER_BYTES = 256 * 1024


def bind(host: str, port: int) -> socket.socket:
    """A socket bound to the address, not yet listening; UsageError if it cannot be had."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with ExitStack() as unless_bound:
            listener = unless_bound.enter_context(socket.socket(family, kind, protocol))
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            # Connections inherit it: who takes nothing of what is sent is cut off.
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, READ_SECONDS * 1000)
            # The kernel would take megabytes of an answer before anybody notices.
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
            listener.bind(address)
            unless_bound.pop_all()
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UsageError(f"cannot serve on {host} port {port}: {reason}") from error
    # A process that is a copy of this one would keep the port for as long as it lives.
    os.register_at_fork(after_in_child=listener.close)
    return listener


def allow_files(connections: int) -> None:
    """Have the process be allowed to open as many files as so many connections take."""
    wanted = connections + OTHER_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and wanted > hard:
        raise UsageError(
            f"--max-connections {connections} takes {wanted} open files, and this process may have "
            f"{hard} (ulimit -Hn): give fewer, or allow it more"
        )
    if soft != resource.RLIM_INFINITY and wanted > soft:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))

"""Processes of one machine meet on its loopback interface, where nobody else can come.

PyTorch's store, by which ranks find each other, listens on every interface whatever address it is
given, and has no password. It can be handed a socket, though, that is bound already.

Imported inside SGLang's scheduler process, never by the rest of this package.
"""

import os
import socket
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlparse

import torch.distributed as dist
from sglang.srt.plugins.hook_registry import HookRegistry, HookType

SCHEME = "functionary-loopback"

_LOOPBACK = ("tcp://127.0.0.1:", "tcp://localhost:", "tcp://[::1]:")


def listen_there() -> None:
    """Let ranks that meet at a loopback address listen on that alone. Takes effect when SGLang
    loads its plugins. Servers on several machines meet where their flags say."""
    dist.register_rendezvous_handler(SCHEME, _meet)
    target = "sglang.srt.distributed.parallel_state.init_distributed_environment"
    HookRegistry.register(target, _on_loopback, HookType.AROUND)


def _on_loopback(original: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    method = kwargs.get("distributed_init_method", "")
    if method.startswith(_LOOPBACK):
        for library in ("GLOO_SOCKET_IFNAME", "NCCL_SOCKET_IFNAME"):
            os.environ.setdefault(library, "lo")
        kwargs["distributed_init_method"] = method.replace("tcp", SCHEME, 1)
    return original(*args, **kwargs)


def _meet(
    url: str, timeout: timedelta = dist.default_pg_timeout, **_: Any
) -> Iterator[tuple[dist.Store, int, int]]:
    """A rendezvous handler of PyTorch's: the store, this rank, and how many there are."""
    place = urlparse(url)
    query = parse_qs(place.query)
    rank, world_size = int(query["rank"][0]), int(query["world_size"][0])
    descriptor = None
    if rank == 0:
        listener = socket.create_server((str(place.hostname), int(place.port or 0)))
        descriptor = listener.detach()
    store = dist.TCPStore(
        str(place.hostname),
        int(place.port or 0),
        world_size,
        is_master=rank == 0,
        timeout=timeout,
        master_listen_fd=descriptor,
    )
    yield store, rank, world_size
    raise RuntimeError("ranks cannot meet again here")

"""How SGLang's own HTTP server ends: in order, and with nothing left of it.

SGLang 0.5.23 asks its schedulers to end where a request came before it was told to end itself.
Where none did, uvicorn ends by the signal that it was sent, which leaves the schedulers to the
kernel. Their files are removed in neither case.
"""

import os
import signal
from collections.abc import Callable
from typing import Any

from functionary_sgl.engines.sglang.leftovers import Leftovers, sockets


def in_order() -> None:
    """Have it end so in this process. Takes effect when SGLang loads its plugins."""
    from sglang.srt.plugins.hook_registry import HookRegistry, HookType

    target = "sglang.srt.entrypoints.http_server._setup_and_run_http_server"
    HookRegistry.register(target, _run, HookType.AROUND)


def _run(
    original: Callable[..., Any],
    server_args: Any,
    manager: Any,
    templates: Any,
    port_args: Any,
    *args: Any,
    **kwargs: Any,
) -> None:
    """Run it; its schedulers and the rest have started, with all files that they have."""
    from sglang.srt.utils import kill_process_tree

    leftovers = Leftovers(sockets(port_args))
    leftovers.note()
    # Until the first request uvicorn heeds it, and has sent it to this process again at its end.
    signal.signal(signal.SIGTERM, lambda *_: None)
    try:
        original(server_args, manager, templates, port_args, *args, **kwargs)
    finally:
        if (watchdog := getattr(manager, "_subprocess_watchdog", None)) is not None:
            watchdog.stop()  # to it, an end is a crash
        kill_process_tree(os.getpid(), include_parent=False, wait_timeout=60)
        leftovers.remove()

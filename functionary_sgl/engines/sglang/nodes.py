"""One model on several machines (`--nnodes`): the first one serves, the others compute with it.

On the others SGLang's constructor returns when their schedulers have ended. Those end in order if
the first machine's are told to: they hand it on. Else they find a closed connection, and die of it.
"""

import asyncio
from typing import Any

END_SECONDS = 10.0
"""How long schedulers may take to end once they are told to; then they are killed."""

_LOOK_SECONDS = 0.1


async def end(manager: Any) -> None:
    """Tell the schedulers of all machines to end, through SGLang's TokenizerManager on the first,
    and wait for those of this machine."""
    from sglang.srt.managers.io_struct import ShutdownReq
    from sglang.srt.utils.cudacore_pyspy_dump_utils import collect_scheduler_processes

    manager._subprocess_watchdog.stop()  # to it, an end is a crash
    manager._dispatch_to_scheduler(ShutdownReq())
    looks = int(END_SECONDS / _LOOK_SECONDS)
    while looks and collect_scheduler_processes():
        await asyncio.sleep(_LOOK_SECONDS)
        looks -= 1

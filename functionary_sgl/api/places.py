"""A place among the turns that run and wait, for as long as a request is answered."""

import asyncio
from contextlib import AsyncExitStack

from functionary_sgl.admission import Place
from functionary_sgl.caller import Caller
from functionary_sgl.errors import ServerBusy
from functionary_sgl.model import Model

LEAVING_SECONDS = 0.02
"""For a client that hangs up and asks again: it finds the place that it has just left."""


async def place_of(model: Model, caller: Caller, turns: int, held: AsyncExitStack) -> Place:
    """A place for `turns` of `caller` while it is `held`. Raises RequestError for more than there
    can be at once, ServerBusy where there is none."""
    model.check_count(turns, caller)
    try:
        return held.enter_context(model.admitted(caller, turns))
    except ServerBusy:
        await asyncio.sleep(LEAVING_SECONDS)
        return held.enter_context(model.admitted(caller, turns))

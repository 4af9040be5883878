"""`x-ratelimit-*`: what a key has left of the requests that it may send in a minute, with each
answer to it, as OpenAI tells it (its guide to rate limits, "Rate limits in headers").
"""

import math

from starlette.datastructures import MutableHeaders
from starlette.types import Message, Send

from functionary_sgl.rate import Rate

LIMIT = "x-ratelimit-limit-requests"
REMAINING = "x-ratelimit-remaining-requests"
RESET = "x-ratelimit-reset-requests"


def telling(rate: Rate, send: Send) -> Send:
    """`send`, which has the head of an answer say how `rate` stands, if that has a limit."""
    if rate.most is None:
        return send

    async def told(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in _headers(rate).items():
                headers[name] = value
        await send(message)

    return told


def _headers(rate: Rate) -> dict[str, str]:
    left = rate.left()
    if left is None:  # the limit has gone since
        return {}
    reset = _duration(math.ceil(rate.seconds_to_reset()))
    return {LIMIT: str(rate.most), REMAINING: str(left), RESET: reset}


def _duration(seconds: int) -> str:
    """As OpenAI writes it: `1m0s`."""
    minutes, rest = divmod(seconds, 60)
    return f"{minutes}m{rest}s" if minutes else f"{rest}s"

"""How much an engine can hold at once."""

from collections.abc import Mapping
from typing import Any

TURN_TOKENS = 512
"""Of the KV cache for each turn that runs, by default: less lets more wait inside of SGLang, where
they are not let in fairly, more leaves memory unused. Turns with the same tools share most of their
prompt."""


def most_running(flags: Any, scheduler: Mapping[str, Any]) -> int:
    """How many turns can run, by SGLang's flag or the memory that it found for its KV cache."""
    if flags.max_running_requests is not None:
        return int(flags.max_running_requests)
    tokens = int(scheduler["max_total_num_tokens"]) * int(flags.dp_size)
    return max(1, tokens // TURN_TOKENS)

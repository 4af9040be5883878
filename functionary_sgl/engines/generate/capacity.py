"""How much an engine can hold at once."""

TURN_TOKENS = 512
"""Of the KV cache for each turn that runs, by default: less lets more wait inside of SGLang, where
they are not let in fairly, more leaves memory unused. Turns with the same tools share most of their
prompt."""


def most_running(requests: int | None, cached_tokens: int, copies: int) -> int:
    """How many turns can run, by SGLang's flag for `requests` or the memory that each of its
    `copies` of the model found for its KV cache."""
    return requests or max(1, cached_tokens * copies // TURN_TOKENS)

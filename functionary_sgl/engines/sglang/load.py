"""How much SGLang has to do, as its schedulers last told it in shared memory: whenever one falls
idle, and every few batches."""

from collections.abc import Iterator
from typing import Any

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily

GAUGES = {
    "functionary_engine_running": ("Requests that the engine computes.", "num_running_reqs"),
    "functionary_engine_waiting": ("Requests that wait in the engine.", "num_waiting_reqs"),
    "functionary_engine_tokens_used": (
        "Tokens in the engine's KV cache that its requests need; those that are only kept for "
        "later do not count.",
        "num_used_tokens",
    ),
    "functionary_engine_tokens": ("Tokens that its KV cache has room for.", "max_total_num_tokens"),
}
"""By name: what a gauge tells, and SGLang's field for it."""


def gauges(manager: Any) -> Iterator[Metric]:
    """Of SGLang's `manager`, summed over its schedulers."""
    loads = manager.load_snapshot_reader.read_all()
    for name, (told, field) in GAUGES.items():
        yield GaugeMetricFamily(name, told, value=sum(getattr(load, field) for load in loads))

"""What SGLang counts with `--enable-metrics`, in all of its processes.

Those that it starts leave it in files, in a directory that SGLang names in PROMETHEUS_MULTIPROC_DIR
before it starts them. Its manager is in this process, where prometheus_client was imported before
that, and so has its own in the library's registry, as any program has.
"""

from collections.abc import Iterable

from prometheus_client import REGISTRY, CollectorRegistry, Metric
from prometheus_client.multiprocess import MultiProcessCollector

_NAMES = "sglang:"


def collected() -> Iterable[Metric]:
    """All of them as they are now, each once: several processes may have series of one."""
    of_children = MultiProcessCollector(CollectorRegistry())  # type: ignore[no-untyped-call]
    found: dict[str, Metric] = {}
    for registry in (REGISTRY, of_children):
        for metric in registry.collect():
            if metric.name.startswith(_NAMES) and metric.samples:
                known = found.setdefault(metric.name, metric)
                if known is not metric:
                    known.samples += metric.samples
    return found.values()

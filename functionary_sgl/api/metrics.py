"""GET /metrics."""

import asyncio
from collections.abc import Iterator

from fastapi import APIRouter, Request
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Metric, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from starlette.responses import Response

from functionary_sgl.metrics import REGISTRY
from functionary_sgl.model import Model

router = APIRouter()


@router.get("/metrics")
async def metrics(request: Request) -> Response:
    """What the server has counted, and how it is now, in Prometheus' text format."""
    now = CollectorRegistry(auto_describe=False)
    now.register(Now(request.app.state.model))
    told = [await asyncio.to_thread(generate_latest, registry) for registry in (REGISTRY, now)]
    return Response(b"".join(told), media_type=CONTENT_TYPE_LATEST)


class Now(Collector):
    """What is looked up when somebody asks, and what the engine counts."""

    def __init__(self, model: Model) -> None:
        self._model = model

    def collect(self) -> Iterator[Metric]:
        admission = self._model.admission
        for name, told, count in (
            ("running", "Answers that the engine is asked for.", admission.running),
            ("waiting", "Answers that are prepared, or wait for others to end.", admission.waiting),
        ):
            yield GaugeMetricFamily(f"functionary_turns_{name}", told, value=count)
        for name, told, most in (
            (
                "running_allowed",
                "How many may run at once; +Inf: any number.",
                admission.most_running,
            ),
            ("waiting_allowed", "How many may wait; +Inf: any number.", admission.most_waiting),
        ):
            value = float("inf") if most is None else most
            yield GaugeMetricFamily(f"functionary_turns_{name}", told, value=value)
        schemas, size = self._model.gate.remembered()
        yield GaugeMetricFamily(
            "functionary_gate_schemas", "Schemas whose verdicts are remembered.", value=schemas
        )
        yield GaugeMetricFamily("functionary_gate_bytes", "What these take, about.", value=size)
        adapters = GaugeMetricFamily(
            "functionary_adapters", "1 for each LoRA adapter that is loaded.", labels=["adapter"]
        )
        for name in self._model.adapters:
            adapters.add_metric([name], 1)
        yield adapters
        yield from self._model.engine.metrics()

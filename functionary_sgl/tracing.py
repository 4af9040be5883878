"""Traces (OpenTelemetry): a span for each request, and in it one for each thing that takes time.
Without `--otlp-endpoint` there are none, and nothing is done for them.

Like logs, they have no text of a client's, and so of an exception its kind alone.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from importlib.metadata import version
from typing import Any

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import Span, SpanKind, StatusCode, Tracer
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from functionary_sgl.errors import UsageError

Attributes = Mapping[str, str | int | float]

EXTRA = "functionary-sgl[tracing]"

_PATH = "/v1/traces"
"""Of OTLP over HTTP."""

_EXPORT_SECONDS = 5
"""How long a collector may take; a server that ends waits no longer."""

_W3C = TraceContextTextMapPropagator()

_tracer: Tracer | None = None


@contextmanager
def exported(endpoint: str | None) -> Iterator[None]:
    """Trace, and send it to `endpoint`, the URL of a collector that takes OTLP over HTTP; None:
    trace nothing. UsageError where what that takes is not installed."""
    global _tracer
    if endpoint is None:
        yield
        return
    provider = _provider(endpoint)
    _tracer = provider.get_tracer("functionary_sgl", version("functionary-sgl"))
    try:
        yield
    finally:
        _tracer = None
        provider.shutdown()


def is_on() -> bool:
    """Whether anything is traced."""
    return _tracer is not None


def request(name: str, headers: Mapping[str, str]) -> AbstractContextManager[Span | None]:
    """A span of a request with these `headers`, which may say of what trace it is (W3C)."""
    return _current(name, _W3C.extract(headers) if is_on() else None, SpanKind.SERVER)


def span(name: str) -> AbstractContextManager[Span | None]:
    """A span of a part of the current request; not for generators, whose parts are of others."""
    return _current(name)


@contextmanager
def _current(
    name: str, context: Context | None = None, kind: SpanKind = SpanKind.INTERNAL
) -> Iterator[Span | None]:
    if _tracer is None:
        yield None
        return
    with _tracer.start_as_current_span(
        name, context, kind, record_exception=False, set_status_on_exception=False
    ) as started:
        try:
            yield started
        except Exception as error:
            started.set_status(StatusCode.ERROR)
            started.set_attribute("error.type", type(error).__name__)
            raise


def begun(name: str, attributes: Attributes) -> Span:
    """A span in the current one that whoever asks for it ends."""
    if _tracer is None:
        return trace.INVALID_SPAN
    return _tracer.start_span(name, kind=SpanKind.CLIENT, attributes=attributes)


def trace_id(span: Span) -> str:
    """That of `span`, as it is written."""
    return trace.format_trace_id(span.get_span_context().trace_id)


def _provider(endpoint: str) -> Any:
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        raise UsageError(f"--otlp-endpoint needs more packages: pip install '{EXTRA}'") from error
    name = os.environ.get("OTEL_SERVICE_NAME", "functionary-sgl")
    about = {"service.name": name, "service.version": version("functionary-sgl")}
    provider = TracerProvider(resource=Resource.create(about), shutdown_on_exit=False)
    url = endpoint.rstrip("/").removesuffix(_PATH) + _PATH
    exporter = OTLPSpanExporter(endpoint=url, timeout=_EXPORT_SECONDS)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    return provider

"""What a collector is sent: a real server's traces, as OTLP over HTTP."""

import gzip
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from functionary_sgl import tracing
from functionary_sgl.errors import UsageError
from tests.marks import PLAIN, Marks

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
REPLIES = [
    {"match": "fails", "turn": "all\nI will", "fault": "fail", "after": 1},
    {"match": "", "turn": 'f\n{"a": "text"}'},
]
FUNCTION = {"name": "f", "parameters": {"type": "object", "properties": {"a": {"type": "string"}}}}
ASK = {
    "model": "functionary-nano",
    "messages": [{"role": "user", "content": "Hi"}],
    "tools": [{"type": "function", "function": FUNCTION}],
}


class Collector:
    """Takes traces at `url`; `spans` are those that have come, `about` says who sent them."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.spans: list[Span] = []
        self.about: dict[str, str] = {}

    def take(self, path: str, body: bytes) -> None:
        assert path == "/v1/traces"
        sent = ExportTraceServiceRequest.FromString(body)
        for resource in sent.resource_spans:
            told = resource.resource.attributes
            self.about = {each.key: each.value.string_value for each in told}
            self.spans += [span for scope in resource.scope_spans for span in scope.spans]

    def children(self, of: Span) -> list[Span]:
        found = [span for span in self.spans if span.parent_span_id == of.span_id]
        return sorted(found, key=lambda span: span.start_time_unix_nano)


@contextmanager
def collecting() -> Iterator[Collector]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            packed = self.headers.get("content-encoding") == "gzip"
            collector.take(self.path, gzip.decompress(body) if packed else body)
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *arguments: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        collector = Collector(f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield collector
        server.shutdown()
        thread.join()


def told(span: Span) -> dict[str, Any]:
    return {
        each.key: getattr(each.value, each.value.WhichOneof("value")) for each in span.attributes
    }


@pytest.mark.parametrize("stream", [False, True])
def test_a_request_is_a_span_with_its_parts_in_it(start: Any, stream: bool) -> None:
    with collecting() as collector:
        server = start({"replies": REPLIES}, "--otlp-endpoint", collector.url)
        headers = {"traceparent": f"00-{TRACE}-{PARENT}-01", "x-request-id": "req_7"}
        url = f"{server.url}/v1/chat/completions"
        answer = httpx.post(url, json=ASK | {"stream": stream}, headers=headers, timeout=30)
        assert answer.status_code == 200
        assert httpx.get(f"{server.url}/health").status_code == 200
        server.process.send_signal(signal.SIGTERM)
        assert server.ended() == (0, "")
    (whole,) = [span for span in collector.spans if span.kind == Span.SPAN_KIND_SERVER]
    assert whole.name == "POST /v1/chat/completions"
    assert (whole.trace_id.hex(), whole.parent_span_id.hex()) == (TRACE, PARENT)
    said = told(whole)
    assert said["http.response.status_code"] == 200
    assert said["functionary.request_id"] == "req_7"
    assert said["functionary.finish"] == "tool_calls"
    assert said["gen_ai.usage.output_tokens"] > 0
    gate, prompt, *engine = collector.children(whole)
    assert (gate.name, prompt.name) == ("gate", "prompt")
    assert {span.name for span in engine} == {"score", "generate"}
    written = [told(span) for span in engine if span.name == "generate"]
    assert sum(each["output_tokens"] for each in written) > 0
    assert {each["constraint"] for each in written} >= {"json_schema"}
    for span in (gate, prompt, *engine):
        assert whole.start_time_unix_nano <= span.start_time_unix_nano
        assert span.end_time_unix_nano <= whole.end_time_unix_nano
    assert collector.about["service.name"] == "functionary-sgl"
    assert len(collector.spans) == 3 + len(engine)  # nobody is told of who only looks


def test_nothing_of_what_clients_send_is_traced(start: Any) -> None:
    with collecting() as collector:
        server = start({"replies": REPLIES}, "--otlp-endpoint", collector.url)
        marks, model = Marks(), "functionary-nano"
        url, sent = f"{server.url}/v1/chat/completions", 0
        headers = {"content-type": "application/json", **marks.headers()}
        failing = {**ASK, "messages": [{"role": "user", "content": f"{marks.text()} fails"}]}
        assert httpx.post(url, json=failing, timeout=30).status_code == 500
        assert httpx.post(f"{server.url}/{marks.name()}", timeout=30).status_code == 404
        for content in marks.bad_bodies(model):
            httpx.post(url, content=content, headers=headers, timeout=30)  # type: ignore[arg-type]
            sent += 1
        server.process.send_signal(signal.SIGTERM)
        assert server.ended()[0] == 0
    assert PLAIN not in str(collector.spans)
    requests = [span for span in collector.spans if span.kind == Span.SPAN_KIND_SERVER]
    assert len(requests) == sent + 2
    (failed,) = [span for span in requests if span.status.code == Status.STATUS_CODE_ERROR]
    assert told(failed)["error.type"] == "EngineError"
    refused = [span for span in collector.spans if told(span).get("error.type") == "InvalidSchema"]
    assert "gate" in {span.name for span in refused}


def test_a_collector_that_is_not_there_holds_nobody_up(start: Any) -> None:
    server = start({"replies": REPLIES}, "--otlp-endpoint", "http://127.0.0.1:9")
    answer = httpx.post(f"{server.url}/v1/chat/completions", json=ASK, timeout=30)
    assert answer.status_code == 200
    server.process.send_signal(signal.SIGTERM)
    assert server.ended()[0] == 0


def test_without_the_packages_it_is_told_how_to_get_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    with (
        pytest.raises(UsageError, match=r"pip install 'functionary-sgl\[tracing\]'"),
        tracing.exported("http://127.0.0.1:9"),
    ):
        pass

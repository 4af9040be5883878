"""docs/observability.md names what there is, and all of it; the dashboard names nothing else."""

import json
import logging
import re
import time
from collections.abc import Callable
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from functionary_sgl.engines.sglang import grammars
from functionary_sgl.engines.sglang.load import GAUGES
from functionary_sgl.log_lines import FIELDS
from tests.paths import ROOT
from tests.serving import Served

DOCUMENT = (ROOT / "docs" / "observability.md").read_text()
DASHBOARD = json.loads((ROOT / "deploy" / "grafana" / "dashboard.json").read_text())
OF_SGLANG = GAUGES.keys() | grammars.NAMES
"""Series of the engine that a server with a script does not have."""

_ROW = re.compile(r"^\| `(functionary_\w+)` \| ([^|]*) \|", re.MULTILINE)


def fields_of_document() -> set[str]:
    """Those of the log's line."""
    table = DOCUMENT[DOCUMENT.index("| field |") : DOCUMENT.index("What there is nothing")]
    return set(re.findall(r"`(\w+)`", " ".join(re.findall(r"^\|([^|]*)\|", table, re.MULTILINE))))


def test_the_lines_fields_are_those_of_the_document(
    serve: Callable[..., Served], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    served = serve({"turn": "all\nHello"}, api_keys=["sk-1"])
    body = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}
    for key in ("sk-1", "sk-2"):
        served.http.post("/v1/chat/completions", json=body, headers={"x-api-key": key})
    deadline = time.monotonic() + 20
    lines: list[dict[str, Any]] = []
    while len(lines) < 2 and time.monotonic() < deadline:  # a line comes behind its answer
        time.sleep(0.01)
        lines = [getattr(line, FIELDS) for line in caplog.records if hasattr(line, FIELDS)]
    # An adapter and a trace there are not always; the id is the formatter's.
    others = {"adapter", "trace_id", "request_id"}
    assert set().union(*lines) | others == fields_of_document()


def test_the_line_of_the_document_is_one() -> None:
    (line,) = re.findall(r"^```text\n(.*)\n```$", DOCUMENT, re.MULTILINE)
    begin, *fields = re.split(r" (?=\w+=)", line)
    assert re.fullmatch(r"[\d-]{10} [\d:]{8} INFO \[\w+\] POST /v1/chat/completions 200", begin)
    names = [field.partition("=")[0] for field in fields]
    assert set(names) <= fields_of_document()


def documented() -> dict[str, set[str]]:
    """The labels of each metric that the document names."""
    return {name: set(re.findall(r"`(\w+)`", labels)) for name, labels in _ROW.findall(DOCUMENT)}


def test_the_metrics_are_those_of_the_document(serve: Callable[..., Served]) -> None:
    served = serve({"turn": "all\nHello"})
    text = served.http.get("/metrics").text
    told = {
        f"{family.name}_total" if family.type == "counter" else family.name
        for family in text_string_to_metric_families(text)
    }
    ours = {name for name in told if name.startswith("functionary_")}
    assert ours | OF_SGLANG == documented().keys()


def expressions() -> list[str]:
    """All queries of the dashboard."""
    panels = [
        target["expr"] for panel in DASHBOARD["panels"] for target in panel.get("targets", ())
    ]
    variables = [each["query"] for each in DASHBOARD["templating"]["list"]]
    return panels + variables


def names_in(expression: str) -> set[str]:
    """The series that a query of the dashboard asks for."""
    return set(re.findall(r"\b(?:functionary|process)_\w+|\bsglang:\w+", expression))


def test_the_dashboard_asks_for_series_that_there_are(serve: Callable[..., Served]) -> None:
    """Those of SGLang are looked for in tests/engine/test_metrics.py."""
    served = serve({"turn": "all\nHello"})
    served.http.post("/v1/chat/completions", json={"messages": [{"role": "user", "content": "a"}]})
    families = [*text_string_to_metric_families(served.http.get("/metrics").text)]
    there = {sample.name for family in families for sample in family.samples}
    # Those with labels have no series before the first is counted.
    there |= {f"{family.name}_total" for family in families if family.type == "counter"}
    there |= {family.name for family in families if family.type == "gauge"}
    asked = set().union(*map(names_in, expressions()))
    assert {name for name in asked if not name.startswith("sglang:")} <= there | OF_SGLANG
    assert len(asked) > 25


def test_the_dashboard_groups_by_labels_that_there_are() -> None:
    for expression in expressions():
        known = {"le", "instance", "job"}.union(
            *(documented().get(n, ()) for n in names_in(expression))
        )
        for labels in re.findall(r"by \(([^)]*)\)", expression):
            assert set(labels.split(", ")) <= known, expression


def test_their_labels_are_too() -> None:
    from functionary_sgl import metrics

    for metric in vars(metrics).values():
        name = getattr(metric, "_name", None)
        if name is not None and metric is not metrics.BUILD:
            suffix = "_total" if metric._type == "counter" else ""
            assert documented()[name + suffix] == set(metric._labelnames), name

"""docs/observability.md names what there is, and all of it."""

import re
from collections.abc import Callable

from prometheus_client.parser import text_string_to_metric_families

from tests.paths import ROOT
from tests.serving import Served

DOCUMENT = (ROOT / "docs" / "observability.md").read_text()
_ROW = re.compile(r"^\| `(functionary_\w+)` \| ([^|]*) \|", re.MULTILINE)


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
    assert ours == documented().keys()


def test_their_labels_are_too() -> None:
    from functionary_sgl import metrics

    for metric in vars(metrics).values():
        name = getattr(metric, "_name", None)
        if name is not None and metric is not metrics.BUILD:
            suffix = "_total" if metric._type == "counter" else ""
            assert documented()[name + suffix] == set(metric._labelnames), name

"""Metrics of several processes, as SGLang leaves them; with SGLang itself in tests/engine."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from prometheus_client import Counter

from functionary_sgl.engines.sglang.metrics import collected

# A process that was told before it started where to leave them.
CHILD = """
from prometheus_client import Counter, Gauge
Counter("sglang:read_total", "", ["rank"]).labels("0").inc(3)
Counter("sglang:both_total", "", ["rank"]).labels("0").inc(5)
Gauge("sglang:usage", "", multiprocess_mode="mostrecent").set(0.5)
Counter("other_total", "").inc()
"""


def test_those_of_all_processes_are_told_each_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    subprocess.run([sys.executable, "-c", CHILD], env=os.environ, check=True)
    Counter("sglang:both_total", "", ["rank"]).labels("1").inc(7)
    found = list(collected())
    assert len({metric.name for metric in found}) == len(found)
    series = (sample for metric in found for sample in metric.samples)
    samples = {
        (sample.name, sample.labels.get("rank")): sample.value
        for sample in series
        if not sample.name.endswith("_created")  # of a process where metrics.py is not imported
    }
    assert samples == {
        ("sglang:read_total", "0"): 3,
        ("sglang:both_total", "0"): 5,
        ("sglang:both_total", "1"): 7,
        ("sglang:usage", None): 0.5,
    }

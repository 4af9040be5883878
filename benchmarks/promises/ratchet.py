"""What is expected of a suite's cases, in a file that may only improve.

A case that a file does not name is enforced exactly, and every instance gets its verdict.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from benchmarks.promises.outcomes import KINDS, Outcome
from benchmarks.promises.suites import DATA

FLAWS = ("false positives", "misjudged", "too narrow")

LOOSE = "told unless strict"
"""What is not enforced of cases that are exact, where the tool is not strict."""

Expected = dict[str, Any]


def file_of(suite: str) -> Path:
    return DATA / "expected" / f"{suite.replace(',', '').replace(' ', '-')}.json"


def expected(suite: str) -> Expected:
    """What the file of `suite` says; that all is well, where there is no file."""
    file = file_of(suite)
    return json.loads(file.read_text("utf-8")) if file.is_file() else {}


def summary(outcomes: Mapping[str, Outcome]) -> Expected:
    """`outcomes`, by name of their case, as in a file."""
    found: Expected = {"cases": len(outcomes)}
    found["refused"] = {n: o.reason for n, o in outcomes.items() if o.kind == "refused"}
    found["told"] = {n: o.told for n, o in outcomes.items() if o.kind == "told"}
    found[LOOSE] = {n: o.told for n, o in outcomes.items() if o.told and o.kind == "exact"}
    for flaw in FLAWS:
        field = flaw.replace(" ", "_")
        found[flaw] = {n: getattr(o, field) for n, o in outcomes.items() if getattr(o, field)}
    found["closed"] = {n: o.closed for n, o in outcomes.items() if o.closed}
    return found


def write(suite: str, outcomes: Mapping[str, Outcome]) -> None:
    file = file_of(suite)
    file.parent.mkdir(exist_ok=True)
    text = json.dumps(summary(outcomes), ensure_ascii=False, indent=1)
    file.write_text(text + "\n", "utf-8")


def worse(suite: str, outcomes: Mapping[str, Outcome]) -> list[str]:
    """Where `outcomes` fall short of what is expected, in words."""
    return list(_shortfalls(expected(suite), summary(outcomes)))


def better(suite: str, outcomes: Mapping[str, Outcome]) -> list[str]:
    """Where `outcomes` are better than what is expected: the file is to be updated."""
    said = expected(suite)
    wanted = {
        part: {name: value for name, value in values.items() if name in outcomes}
        for part, values in said.items()
        if isinstance(values, dict)
    }
    return list(_shortfalls(summary(outcomes), wanted))


def _shortfalls(wanted: Expected, found: Expected) -> Iterator[str]:
    names = {name: None for part in found.values() if isinstance(part, dict) for name in part}
    for name in names:
        before, now = _kind(wanted, name), _kind(found, name)
        if KINDS.index(now) > KINDS.index(before):
            yield f"{name}: {now}, not {before}: {found[now].get(name)}"
        for part in ("told", LOOSE, *FLAWS):
            known = wanted.get(part, {}).get(name, [])
            more = [one for one in found.get(part, {}).get(name, []) if one not in known]
            if more and (now == before or part in FLAWS):
                yield f"{name}: {part}: {', '.join(more)}"
        closed = found.get("closed", {}).get(name, 0)
        if now == before and closed > wanted.get("closed", {}).get(name, 0):
            yield f"{name}: {closed} instances are closed out"


def _kind(said: Expected, name: str) -> str:
    return next((kind for kind in ("refused", "told") if name in said.get(kind, {})), "exact")

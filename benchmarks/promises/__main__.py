"""What is promised of schemas, measured.

    python -m benchmarks.promises [--suite NAME] [--walks N] [--json] [--update]

Each case of each suite (`suites.py`) goes through the gate, strict and not, and its instances
through the grammar that comes of it. For each suite, so many cases are

    exact            all of the schema is enforced
    told             some keywords are not, and the response says so
    refused          a 400
    false positives  an invalid instance is taken though nothing is told
    misjudged        an instance that is only validated gets the wrong verdict
    too narrow       a valid instance is not taken, and closing objects does not explain it
    closed           a valid instance has keys that its objects, which list theirs, do not

Then random walks over the grammars that are exact; whatever they spell has to be valid.

Exit code 1 if anything is worse than what is expected (`tests/data/promises/expected`), or is a
false positive, or if a walk ends in an invalid text.
"""

import argparse
import json
import sys
import time
from collections.abc import Iterable
from random import Random
from typing import Any

from tqdm import tqdm

from benchmarks.promises import ratchet
from benchmarks.promises.outcomes import KINDS, Outcome, outcomes
from benchmarks.promises.suites import FUNCTIONS, SUITES, Case
from benchmarks.promises.walks import Walks, walk
from functionary_sgl.engines.scripted import Script, ScriptedEngine
from functionary_sgl.gate import Gate
from functionary_sgl.prompt.checkpoint import EMBEDDED, load

WALKS = 1_000

COLUMNS = (*KINDS, *ratchet.FLAWS, "closed")


def main(argv: list[str] | None = None) -> int:
    options = _options(argv)
    gate = Gate(ScriptedEngine(Script(replies=[]), load(str(EMBEDDED)).tokenizer))
    begin, walks = time.perf_counter(), Walks()
    figures: dict[str, Any] = {"suites": {}, "worse": [], "better": []}
    exact: list[tuple[Case, Outcome]] = []
    for suite in options.suite or SUITES:
        cases = list(SUITES[suite]())
        shown = tqdm(cases, suite, disable=None, leave=False)
        found = outcomes(gate, shown)
        exact += [(case, found[case.name]) for case in cases if found[case.name].enforced]
        figures["suites"][suite] = counts(found)
        worse = ratchet.worse(suite, found)
        if options.update and (options.accept_worse or not worse):
            ratchet.write(suite, found)
        figures["worse"] += [f"{suite}: {what}" for what in worse]
        figures["better"] += [f"{suite}: {what}" for what in ratchet.better(suite, found)]
    walked(exact, options.walks, walks)
    figures["walks"] = {"texts": walks.texts, "unfinished": walks.unfinished}
    figures["walks"]["invalid"] = walks.wrong
    figures["functions"] = share(figures["suites"][s] for s in FUNCTIONS if s in figures["suites"])
    figures["seconds"] = round(time.perf_counter() - begin, 1)
    print(json.dumps(figures, indent=2, ensure_ascii=False) if options.json else table(figures))
    false = any(suite["false positives"] for suite in figures["suites"].values())
    return 1 if figures["worse"] or false or walks.wrong else 0


def _options(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--suite", action="append", choices=SUITES, help="only this one")
    parser.add_argument("--walks", type=int, default=WALKS, help="so many random texts")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.add_argument("--update", action="store_true", help="expect what is better now")
    parser.add_argument("--accept-worse", action="store_true", help="and what is worse")
    return parser.parse_args(argv)


def counts(found: dict[str, Outcome]) -> dict[str, int]:
    """How many of what was `found` are of each kind, and have each flaw."""
    flaws = ratchet.summary(found)
    kinds = {kind: sum(one.kind == kind for one in found.values()) for kind in KINDS}
    return {"cases": len(found), **kinds, **{name: len(flaws[name]) for name in COLUMNS[3:]}}


def walked(exact: list[tuple[Case, Outcome]], times: int, walks: Walks) -> None:
    """Add `times` texts of the grammars of `exact` to `walks`, of each as many as of the others."""
    random = Random(0)
    random.shuffle(exact)
    rounds = 0
    while exact and walks.texts < times and rounds < 50:
        rounds += 1
        for case, found in exact:
            assert found.enforced is not None
            walk(case, found.enforced, 1, random, walks)
            if walks.texts >= times:
                break


def share(suites: Iterable[dict[str, int]]) -> dict[str, float]:
    """Of each kind, the share of the cases of `suites`."""
    found = list(suites)
    cases = sum(suite["cases"] for suite in found)
    return {k: sum(suite[k] for suite in found) / cases for k in KINDS} if cases else {}


def table(figures: dict[str, Any]) -> str:
    """The figures, for people."""
    head = f"{'':28}" + "".join(f"{name:>17}" for name in ("cases", *COLUMNS))
    lines = [head.rstrip()]
    for suite, found in figures["suites"].items():
        lines.append(f"{suite:28}" + "".join(f"{found[name]:17,}" for name in ("cases", *COLUMNS)))
    if figures["functions"]:
        shares = ", ".join(f"{part:.2%} {kind}" for kind, part in figures["functions"].items())
        lines.append(f"function-call schemas: {shares}")
    walks = figures["walks"]
    lines.append(
        f"random walks: {walks['texts']:,} texts, {len(walks['invalid'])} of them invalid "
        f"({walks['unfinished']:,} walks more did not end); {figures['seconds']:.0f} s"
    )
    lines += [f"invalid: {text}" for text in walks["invalid"][:10]]
    lines += [f"worse: {what}" for what in figures["worse"]]
    if figures["better"]:
        lines.append(
            f"{len(figures['better'])} better than expected; --update says so in the files"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())

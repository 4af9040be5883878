"""What was measured, as figures and as tables."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from benchmarks.serving.asking import Timed


@dataclass
class Sample:
    """What one server did for one workload at one concurrency. `turns`: answers that count; `bad`:
    what was wrong with others; `wall`, `cpu`: seconds; `requests`, `passes`: of its engine."""

    turns: list[Timed] = field(default_factory=list)
    bad: list[str] = field(default_factory=list)
    wall: float = 0.0
    cpu: float = 0.0
    requests: float = 0.0
    passes: float = 0.0

    def figures(self) -> dict[str, Any]:
        """By name; times in milliseconds, of answers that count only."""
        asked, firsts = len(self.turns) + len(self.bad), [turn.first for turn in self.turns]
        ends = [turn.end for turn in self.turns]
        prompt = sum(turn.prompt for turn in self.turns)
        return {
            "answers": len(self.turns),
            "bad": len(self.bad),
            "first p50": _ms(firsts, 0.5),
            "first p99": _ms(firsts, 0.99),
            "end p50": _ms(ends, 0.5),
            "end p99": _ms(ends, 0.99),
            "answers/s": _ratio(len(self.turns), self.wall),
            "tokens/s": _ratio(sum(turn.tokens for turn in self.turns), self.wall),
            "tokens": _ratio(sum(turn.tokens for turn in self.turns), len(self.turns)),
            "requests": _ratio(self.requests, asked),
            "passes": _ratio(self.passes, asked),
            "cached": _ratio(sum(turn.cached for turn in self.turns), prompt),
            "cpu ms": _ratio(1000 * self.cpu, asked),
        }


Results = dict[tuple[str, int], dict[str, Sample]]
"""By workload and concurrency, and then by server."""

_DIGITS = {"cached": 3, "tokens": 1, "requests": 1, "passes": 1, "answers/s": 2}
"""Behind the point; of others none."""


def table(results: Results) -> str:
    """In Markdown, a row for each server."""
    lines: list[str] = []
    for (workload, concurrency), samples in results.items():
        for name, sample in samples.items():
            figures = sample.figures()
            if not lines:
                head = ["workload", "at once", "server", *figures]
                lines = [_row(head), _row(["---"] * len(head))]
            told = [_text(value, _DIGITS.get(key, 0)) for key, value in figures.items()]
            lines.append(_row([workload, str(concurrency), name, *told]))
    return "\n".join(lines)


def brief(workload: str, concurrency: int, samples: Mapping[str, Sample]) -> str:
    """A line for those who wait: the median end of each server."""
    ends = [
        f"{name} {_text(sample.figures()['end p50'], 0) or 'nothing that counts'}"
        for name, sample in samples.items()
    ]
    return f"{workload}, {concurrency} at once: {', '.join(ends)}"


def ratios(results: Results, to: str) -> str:
    """In Markdown: each server's median end, and tokens per second, as a share of those of `to`."""
    lines: list[str] = []
    for (workload, concurrency), samples in results.items():
        base = samples[to].figures() if to in samples else {}
        for name, sample in samples.items():
            figures = sample.figures()
            shares = [
                figures[key] / base[key] if figures[key] and base.get(key) else None
                for key in ("first p50", "end p50", "tokens/s")
            ]
            if name != to and base:
                told = [_text(share, 2) for share in shares]
                lines.append(_row([workload, str(concurrency), name, *told]))
    head = _row(["workload", "at once", f"server, against {to}", "first", "end", "tokens/s"])
    return "\n".join([head, _row(["---"] * 6), *lines])


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _text(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:,.{digits}f}"


def _ms(seconds: Sequence[float], share: float) -> float | None:
    if not seconds:
        return None
    return 1000 * sorted(seconds)[min(len(seconds) - 1, int(share * len(seconds)))]


def _ratio(value: float, of: float) -> float | None:
    return value / of if value and of else None

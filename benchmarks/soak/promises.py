"""What a server under load promises, each with what was found."""

import asyncio
import threading
import time
from dataclasses import dataclass, field

import httpx

from benchmarks.attack.target import elsewhere
from benchmarks.soak.answers import Tally
from benchmarks.soak.clients import all_at_once
from benchmarks.soak.growth import Growth, Held, growths, held
from benchmarks.soak.subject import Subject

SAMPLE_SECONDS = 1.0
REST_SECONDS = 2.0
"""How long requests and their tokens may be held when the last of them is over."""


@dataclass(frozen=True)
class Promise:
    """`found` says what was seen."""

    name: str
    found: str
    kept: bool


@dataclass
class Report:
    """What a while of load came to."""

    seconds: float
    tally: Tally
    growths: list[Growth]
    promises: list[Promise] = field(default_factory=list)

    def kept(self) -> bool:
        return all(promise.kept for promise in self.promises)


class Watch(threading.Thread):
    """Looks at what a server holds until it is closed."""

    def __init__(self, pid: int) -> None:
        super().__init__()
        self._pid = pid
        self._over = threading.Event()
        self.times: list[float] = []
        self.seen: list[dict[str, Held]] = []

    def run(self) -> None:
        while not self._over.wait(SAMPLE_SECONDS):
            self.times.append(time.monotonic())
            self.seen.append(held(self._pid))

    def close(self) -> None:
        self._over.set()
        self.join()


def soak(subject: Subject, seconds: float) -> Report:
    """Load on `subject` for so many seconds, and what came of it."""
    told_before = len(subject.log.read_text())
    before, said = subject.counted(), _says(subject)
    watch = Watch(subject.pid)
    watch.start()
    try:
        tally = elsewhere(lambda: asyncio.run(all_at_once(subject, seconds)))
    finally:
        watch.close()
    resting, still_held = subject.rested(time.monotonic())
    after, log = subject.counted(), subject.log.read_text()[told_before:]
    report = Report(seconds, tally, growths(watch.times, watch.seen))
    failed = {name: after[name] - before.get(name, 0) for name in after if "status 5" in name}
    failures = sum(failed.values())
    grown = [one for one in report.growths if not one.is_flat]
    report.promises = [
        Promise("no answer is lost", f"{tally.total('lost')} lost", not tally.total("lost")),
        Promise("no request fails in the server", f"{failures:.0f} of status 5xx", not failures),
        Promise(
            "memory, threads and descriptors are flat",
            ", ".join(f"{one.role}'s {one.what} grow" for one in grown) or "none grows",
            not grown,
        ),
        Promise(
            f"nothing runs, and no token is held, {REST_SECONDS:.0f} s later",
            str(still_held) if still_held else f"after {resting:.2f} s",
            not still_held and resting <= REST_SECONDS,
        ),
        Promise(
            "the log has no tracebacks",
            f"{log.count('Traceback')} tracebacks",
            "Traceback" not in log,
        ),
        Promise(
            "the model says what it said before",
            "the same" if (now := _says(subject)) == said else f"{now!r}, before {said!r}",
            now == said,
        ),
    ]
    return report


def _says(subject: Subject) -> str:
    messages = [{"role": "user", "content": "Hello, who are you?"}]
    body = {"model": subject.model, "messages": messages, "temperature": 0, "max_tokens": 60}
    answer = httpx.post(f"{subject.url}/v1/chat/completions", json=body, timeout=60).json()
    text: str = answer["choices"][0]["message"]["content"]
    return text

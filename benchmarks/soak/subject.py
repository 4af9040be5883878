"""The server that is under load: where it is asked, and where it is looked at."""

import time
from dataclasses import dataclass
from pathlib import Path

import httpx
from prometheus_client.parser import text_string_to_metric_families

GAUGES = (
    "functionary_turns_running",
    "functionary_turns_waiting",
    "functionary_engine_running",
    "functionary_engine_waiting",
    "functionary_engine_tokens_used",
)
"""What is zero of a server with the real engine that nobody asks for anything."""

REST_SECONDS = 20
LOOK_SECONDS = 0.02


@dataclass(frozen=True)
class Subject:
    """The process `pid`, which serves `model` at `url` and writes what it complains of into
    `log`."""

    url: str
    model: str
    pid: int
    log: Path

    def counted(self) -> dict[str, float]:
        """The sums of its metrics' samples, by their names, and of requests by status
        (`status 500`)."""
        found: dict[str, float] = {}
        for family in text_string_to_metric_families(httpx.get(f"{self.url}/metrics").text):
            for sample in family.samples:
                found[sample.name] = found.get(sample.name, 0.0) + sample.value
                if sample.name == "functionary_requests_total":
                    name = f"status {sample.labels['status']}"
                    found[name] = found.get(name, 0.0) + sample.value
        return found

    def rested(self, since: float) -> tuple[float, dict[str, float]]:
        """Seconds from the time `since` until nothing runs, nothing waits and no token is held,
        and what still is, if that takes too long."""
        while True:
            now = time.monotonic() - since
            counted = self.counted()
            held = {name: counted[name] for name in GAUGES if counted[name]}
            if not held or now > REST_SECONDS:
                return now, held
            time.sleep(LOOK_SECONDS)

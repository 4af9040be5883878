"""The server as users start it: a process."""

import os
import subprocess
import sys
import time
from pathlib import Path

from tests.paths import ROOT

LAUNCHER = (str(ROOT / "server_sglang.py"),)

SECONDS = 20
"""How long a server may take for what it does by itself."""


START_SECONDS = 120
"""How long it may take to start, beside whatever else the machine does."""


class Process:
    """A running server, which has printed its banner. `log` is the file with all that it says on
    standard error, `program` what Python runs in place of the launcher. Without a `banner` it may
    not be ready yet, and `url` is for others to find out."""

    rest = ""
    """What it printed behind its banner, when it has ended."""

    def __init__(
        self,
        log: Path,
        arguments: list[str],
        environment: dict[str, str],
        program: tuple[str, ...] = LAUNCHER,
        banner: bool = True,
    ) -> None:
        self._log = log
        with log.open("w") as errors:
            self.process = subprocess.Popen(
                [sys.executable, *program, *arguments],
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                env=os.environ | environment,
            )
        if banner:
            self.wait()

    def wait(self) -> None:
        """For its banner: it is ready then."""
        assert self.process.stdout is not None
        self.banner = [self.process.stdout.readline() for _ in range(4)]
        assert self.banner[-1], self.log
        self.url = self.banner[2].split()[-1].removesuffix("/v1")

    @property
    def log(self) -> str:
        return self._log.read_text()

    def says(self, text: str, seconds: float = SECONDS) -> None:
        """Wait until the log has `text`, so long at most."""
        end = time.monotonic() + seconds
        while text not in self.log:
            assert time.monotonic() < end, f"'{text}' is not in the log:\n{self.log}"
            time.sleep(0.01)

    def ended(self, seconds: float = SECONDS) -> tuple[int, str]:
        """The exit code of the process, which ends by itself within so long, and its log."""
        self.rest, _ = self.process.communicate(timeout=seconds)
        return self.process.returncode, self.log

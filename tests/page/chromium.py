"""A real Chromium, as an npm package has it: it comes with the libraries that it needs, so it runs
for any user, on any Linux, without a package of the system's."""

import fcntl
import os
import shutil
import subprocess
from pathlib import Path

from tests.paths import ROOT

PACKAGE = "@sparticuz/chromium@147.0.0"

DIRECTORY = ROOT / ".chromium"
"""What `make clean` removes; tests install it where it is not there."""

SECONDS_TO_INSTALL = 300

_UNPACK = """
import chromium from "@sparticuz/chromium";
chromium.setGraphicsMode = false;
await chromium.executablePath();
"""


def installed() -> tuple[Path, dict[str, str]]:
    """The program, and the environment that it runs in. One process installs, others wait for it.

    Raises subprocess.SubprocessError, or OSError where there is no npm.
    """
    DIRECTORY.mkdir(exist_ok=True)
    done = DIRECTORY / PACKAGE.rpartition("@")[2]
    with (DIRECTORY / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            _install(done)
    return done / "chromium", os.environ | {"LD_LIBRARY_PATH": str(done / "al2023" / "lib")}


def _install(target: Path) -> None:
    packed, unpacked = DIRECTORY / "packed", DIRECTORY / "unpacked"
    for directory in (packed, unpacked):
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir()
    npm = ["npm", "install", "--loglevel", "error", "--prefix", str(packed), PACKAGE]
    _run(npm, packed, dict(os.environ))
    (packed / "unpack.mjs").write_text(_UNPACK)
    # The libraries are unpacked where it takes its machine for Amazon's.
    of_amazon = {"TMPDIR": str(unpacked), "AWS_LAMBDA_JS_RUNTIME": "nodejs20.x"}
    _run(["node", "unpack.mjs"], packed, os.environ | of_amazon)
    unpacked.rename(target)
    shutil.rmtree(packed)


def _run(command: list[str], directory: Path, environment: dict[str, str]) -> None:
    subprocess.run(
        command,
        cwd=directory,
        env=environment,
        check=True,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=SECONDS_TO_INSTALL,
    )

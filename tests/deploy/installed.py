"""The package as its users have it: built, and installed where nothing of this checkout is."""

import os
import subprocess
import sys
from pathlib import Path

from tests.paths import ROOT

NOT_OTHERS = ("functionary_sgl", ".pth")
"""In the names of what an installation of the project leaves among packages, or leads to it."""


def build(directory: Path, source: Path = ROOT) -> tuple[Path, Path]:
    """The wheel and the sdist that `make wheel` builds, in `directory`."""
    command = [sys.executable, "-m", "hatchling", "build", "--directory", str(directory)]
    subprocess.run(command, cwd=source, check=True, capture_output=True)
    (wheel,), (sdist,) = directory.glob("*.whl"), directory.glob("*.tar.gz")
    return wheel, sdist


class Environment:
    """A new virtual environment that sees the packages of the running one, but for the project."""

    def __init__(self, directory: Path) -> None:
        self.bin = directory / "venv" / "bin"
        make = [sys.executable, "-m", "venv", "--without-pip", str(directory / "venv")]
        subprocess.run(make, check=True)
        others = directory / "others"
        others.mkdir()
        for path in sys.path:
            for found in Path(path).iterdir() if path.endswith("site-packages") else ():
                link = others / found.name
                if not any(part in found.name for part in NOT_OTHERS) and not link.exists():
                    link.symlink_to(found)
        (site,) = (directory / "venv" / "lib").glob("python*/site-packages")
        (site / "others.pth").write_text(f"{others}\n")
        self.site = site
        # Not the checkout, and no bytecode beside what others import.
        hidden = ("PYTHONPATH", "PYTHONDONTWRITEBYTECODE", "VIRTUAL_ENV")
        self.variables = {k: v for k, v in os.environ.items() if k not in hidden}

    def install(self, wheel: Path) -> None:
        """As pip does it; what the wheel needs has to be there already."""
        options = ["--python", str(self.bin / "python"), "--disable-pip-version-check"]
        command = [sys.executable, "-m", "pip", *options, "install", "--no-index", str(wheel)]
        subprocess.run(command, check=True, env=self.variables, capture_output=True, text=True)

    def run(self, *command: str, cwd: Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(self.bin / command[0]), *command[1:]],
            cwd=cwd,
            env=self.variables,
            capture_output=True,
            text=True,
        )

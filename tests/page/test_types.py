"""The page's modules are what their comments say, as TypeScript reads them."""

import subprocess
from pathlib import Path

import pytest

from functionary_sgl.api.page import DIRECTORY

PACKAGE = "typescript@5"
STRICTLY = ("--strict", "--allowJs", "--checkJs", "--noEmit", "--target", "es2022")
LIBRARIES = ("--lib", "es2023,dom,dom.iterable,dom.asynciterable")


@pytest.fixture(scope="session")
def compiler(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("typescript")
    command = ["npm", "install", "--loglevel", "error", "--prefix", str(folder), PACKAGE]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return folder / "node_modules" / ".bin" / "tsc"


def test_types_are_right(compiler: Path) -> None:
    main = str(DIRECTORY / "main.js")
    command = [str(compiler), *STRICTLY, *LIBRARIES, "--module", "es2022", main]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout


def test_all_modules_are_used() -> None:
    text = "".join(path.read_text() for path in DIRECTORY.glob("*.js"))
    for module in DIRECTORY.glob("*.js"):
        assert module.name == "main.js" or f'"./{module.name}"' in text


@pytest.mark.parametrize("word", ["innerHTML", "outerHTML", "insertAdjacentHTML", "eval(", "http:"])
def test_none_makes_markup_or_knows_another_server(word: str) -> None:
    for file in DIRECTORY.iterdir():
        if file.suffix in (".js", ".html", ".css"):
            assert word not in file.read_text()

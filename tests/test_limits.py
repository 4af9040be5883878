"""docs/limits.md and the code say the same."""

import argparse
import importlib
import re
from typing import NamedTuple

import pytest

from functionary_sgl.cli import serve
from tests.paths import ROOT

TEXT = (ROOT / "docs" / "limits.md").read_text()
# Files whose bounds are all there.
WHOLE = ("api/limits.py", "schemas/bounds.py", "engines/cost.py", "engines/images.py")
UNITS = {"": 1, " KiB": 2**10, " MiB": 2**20, " s": 1, " h": 1}
OF_SGLANG = {"--max-running-requests", "--max-queued-requests", "--allowed-media-domains"}
FLAGS = {
    option: action
    for action in serve._parser()._actions
    for option in action.option_strings
    if option.startswith("--")
}


class Row(NamedTuple):
    """A line of a table: what it bounds, its cell with the bound, and all of it."""

    what: str
    bound: str
    line: str

    @property
    def flags(self) -> list[str]:
        return re.findall(r"`(--[\w-]+)`", self.line)

    @property
    def constant(self) -> tuple[str, str] | None:
        """File and name."""
        found = re.search(r"`([\w/]+\.py)` `([A-Z_]+)` \|$", self.line)
        return None if found is None else (found[1], found[2])


def rows() -> list[Row]:
    lines = [line for line in TEXT.splitlines() if re.match(r"\| (?!what \|)", line)]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [Row(what, bound, line) for (what, bound, *_), line in zip(cells, lines, strict=True)]


def number(text: str) -> int | None:
    """The number in a cell, in its smallest unit; None if it has none."""
    found = re.fullmatch(r"([\d,]+)( KiB| MiB| s| h|)", text)
    return int(found[1].replace(",", "")) * UNITS[found[2]] if found else None


def in_code(file: str, name: str) -> int:
    module = importlib.import_module(
        "functionary_sgl." + file.removesuffix(".py").replace("/", ".")
    )
    value: int = getattr(module, name)
    return value


@pytest.mark.parametrize("row", [row for row in rows() if row.constant], ids=lambda row: row.what)
def test_a_bound_is_what_it_is_said_to_be(row: Row) -> None:
    assert row.constant is not None
    assert number(row.bound) == in_code(*row.constant)


@pytest.mark.parametrize("file", WHOLE)
def test_no_bound_is_left_out(file: str) -> None:
    source = (ROOT / "functionary_sgl" / file).read_text()
    names = re.findall(r"^([A-Z][A-Z_]+) = \d", source, re.MULTILINE)
    assert {(file, name) for name in names} <= {row.constant for row in rows()}
    assert names


@pytest.mark.parametrize("row", [row for row in rows() if row.flags], ids=lambda row: row.what)
def test_a_flag_is_one_and_has_the_bound_as_its_default(row: Row) -> None:
    for flag in row.flags:
        assert flag in FLAGS or flag in OF_SGLANG
        if flag in FLAGS:
            assert default(FLAGS[flag]) == number(row.bound)


def default(action: argparse.Action) -> int | None:
    """The default of a flag, in its smallest unit."""
    unit = 2**20 if action.dest.endswith("_mb") else 1
    return None if action.default is None else action.default * unit


def test_no_flag_that_sets_a_bound_is_left_out() -> None:
    known = {flag for row in rows() for flag in row.flags}
    assert {flag for flag in FLAGS if re.search(r"-max-|-mb$|-timeout$", flag)} <= known

"""The changelog is in the form that it says it has, and knows the version that is built."""

import re
from datetime import date

from packaging.version import Version

from tests.deploy.files import PROJECT
from tests.paths import ROOT

TEXT = (ROOT / "CHANGELOG.md").read_text()
KINDS = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


def test_its_headings_are_releases_and_kinds_of_changes() -> None:
    first, *releases = re.findall(r"^## (.*)$", TEXT, re.MULTILINE)
    assert first == "[Unreleased]"
    for release in releases:
        told = re.fullmatch(r"\[([\d.]+)\] - (\d{4}-\d{2}-\d{2})", release)
        assert told, release
        date.fromisoformat(told[2])
    assert set(re.findall(r"^### (.*)$", TEXT, re.MULTILINE)) <= KINDS


def test_what_is_built_is_its_last_release_or_comes_after_it() -> None:
    versions = [Version(v) for v in re.findall(r"^## \[(\d[\d.]*)\]", TEXT, re.MULTILINE)]
    assert versions == sorted(versions, reverse=True)
    unreleased = TEXT.partition("## [Unreleased]\n")[2].partition("\n## ")[0]
    built = Version(PROJECT["version"])
    comes_after = built > max(versions, default=Version("0")) and "###" in unreleased
    assert built in versions[:1] or comes_after

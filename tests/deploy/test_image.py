"""The image: what is built into it, from what, and as whom it runs."""

import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from packaging.requirements import Requirement

from tests.deploy import files
from tests.paths import ROOT

CONTEXT_MB = 30


def pinned(name: str) -> str:
    """The version of constraints.txt."""
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    (version,) = {
        str(r.specifier).removeprefix("==") for r in map(Requirement, lines) if r.name == name
    }
    return version


def test_hadolint_has_nothing_to_say() -> None:
    hadolint = Path(sys.executable).parent / "hadolint"
    told = subprocess.run([hadolint, files.DOCKERFILE], capture_output=True, text=True)
    assert (told.returncode, told.stdout) == (0, "")


def test_the_base_has_the_cuda_that_torch_is_built_for() -> None:
    base = files.told("FROM")[-1]
    (cuda,) = re.findall(r"^nvidia/cuda:([\d.]+)-devel-", base)
    assert pinned("cuda-toolkit").startswith(cuda)
    assert f'"{base}"' in files.MODAL.read_text()


def test_what_is_installed_has_the_versions_that_are_tested() -> None:
    steps = " ".join(files.told("RUN"))
    assert re.search(
        r"uv pip install .*--constraint constraints.txt --requirement pyproject.toml", steps
    )
    (uv,) = re.findall(r"^UV := (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert uv in steps.split()


def allowed() -> set[str]:
    """What the context has, of what is at the top of the checkout."""
    lines = (ROOT / ".dockerignore").read_text().split()
    assert lines[0] == "*"
    return {line[1:] for line in lines if line.startswith("!")}


def test_the_context_is_what_is_copied_and_small() -> None:
    sources = {
        word
        for rest in files.told("COPY")
        if not rest.startswith("--from")
        for word in rest.split()[:-1]
    }
    assert allowed() == sources
    found = [ROOT / name for name in sources]
    found += [file for top in found for file in top.rglob("*") if "__pycache__" not in file.parts]
    assert sum(file.stat().st_size for file in found if file.is_file()) < CONTEXT_MB * 10**6


def test_what_is_copied_is_enough_for_the_wheel(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    for name in allowed():
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, source / name)
        else:
            shutil.copy(ROOT / name, source)
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel"]
    subprocess.run(command, cwd=source, check=True, capture_output=True)
    (wheel,) = (source / "dist").iterdir()
    with zipfile.ZipFile(wheel) as archive:
        assert "functionary_sgl/templates/v3.llama3.jinja" in archive.namelist()


def test_it_does_not_run_as_root() -> None:
    (user,) = files.told("USER")
    number, _, group = user.partition(":")
    assert number.isdecimal()
    assert number != "0"
    assert group == number
    assert any(f"useradd --system --uid {number} " in step for step in files.told("RUN"))


def test_its_home_is_where_caches_are() -> None:
    home = files.image_environment()["HOME"]
    assert any(f"--home-dir {home} --create-home" in step for step in files.told("RUN"))
    for mounted in (
        {volume.partition(":")[2] for volume in files.compose_service()["volumes"]},
        {mount["mountPath"] for mount in files.container()["volumeMounts"]},
    ):
        assert home in mounted


def test_signals_reach_the_server() -> None:
    before, _ = files.image_command()
    assert before == ["tini", "--", "functionary-sgl"]
    assert " tini" in " ".join(files.told("RUN"))

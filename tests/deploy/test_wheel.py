"""What is released: a wheel that serves by itself, and an sdist that gives the same wheel."""

import json
import re
import signal
import subprocess
import tarfile
import zipfile
from pathlib import Path

import httpx
import pytest

from tests.deploy.files import PROJECT
from tests.deploy.installed import Environment, build
from tests.paths import ROOT

HELLO = {"replies": [{"match": "", "turn": "all\nHello!"}]}
MB = 10**6


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return build(tmp_path_factory.mktemp("dist"))


@pytest.fixture(scope="module")
def installed(built: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Environment:
    environment = Environment(tmp_path_factory.mktemp("environment"))
    absent = environment.run("python", "-c", "import functionary_sgl", cwd=Path("/"))
    assert "No module named 'functionary_sgl'" in absent.stderr
    environment.install(built[0])
    return environment


def files(wheel: Path) -> dict[str, bytes]:
    """What is in a wheel, but for its own lists."""
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist() if "RECORD" not in name}


def test_the_wheel_has_the_package_its_model_and_the_templates_and_nothing_else(
    built: tuple[Path, Path],
) -> None:
    package, templates = (ROOT / room for room in ("functionary_sgl", "templates"))
    expected = [
        *(str(file.relative_to(ROOT)) for file in package.rglob("*.*")),
        *(f"functionary_sgl/{file.relative_to(ROOT)}" for file in templates.rglob("*.*")),
    ]
    content = files(built[0])
    about = f"functionary_sgl-{PROJECT['version']}.dist-info/"
    assert {name for name in content if not name.startswith(about)} == {
        name for name in expected if "__pycache__" not in name
    }
    weights = "functionary_sgl/models/nano/model.safetensors"
    assert content[weights] == (ROOT / weights).read_bytes()
    assert about + "licenses/LICENSE" in content


def test_the_docs_tell_its_size(built: tuple[Path, Path]) -> None:
    text = (ROOT / "docs" / "deployment.md").read_text()
    (told,) = re.findall(r"wheel of (\d+) MB", text)
    assert round(built[0].stat().st_size / MB) == int(told)


def test_the_sdist_gives_the_same_wheel_and_has_no_tests(
    built: tuple[Path, Path], tmp_path: Path
) -> None:
    with tarfile.open(built[1]) as archive:
        archive.extractall(tmp_path, filter="data")
    (source,) = tmp_path.iterdir()
    rooms = {path.name for path in source.iterdir() if path.is_dir()}
    assert rooms == {"functionary_sgl", "templates"}
    wheel, _ = build(tmp_path / "dist", source)
    assert files(wheel) == files(built[0])


def test_the_command_tells_its_version(installed: Environment, tmp_path: Path) -> None:
    told = installed.run("functionary-sgl", "--version", cwd=tmp_path)
    assert told.returncode == 0
    assert told.stdout.startswith(f"functionary-sgl {PROJECT['version']}, sglang ")


def test_templates_are_found_in_it(installed: Environment, tmp_path: Path) -> None:
    file = tmp_path / "request.json"
    file.write_text(json.dumps({"messages": [{"role": "user", "content": "Hi"}]}))
    for template in ("v3.llama3", "cogito"):
        command = ["functionary-sgl", "render", str(file), "--template", template]
        told = installed.run(*command, cwd=tmp_path)
        assert "Hi" in told.stdout, told.stderr


def test_it_serves(installed: Environment, tmp_path: Path) -> None:
    (tmp_path / "script.json").write_text(json.dumps(HELLO))
    command = [str(installed.bin / "functionary-sgl"), "serve", "--engine=scripted"]
    with subprocess.Popen(
        [*command, "--script=script.json", "--port=0"],
        cwd=tmp_path,
        env=installed.variables,
        stdout=subprocess.PIPE,
        text=True,
    ) as server:
        assert server.stdout is not None
        address = [server.stdout.readline() for _ in range(4)][2]
        body = {"messages": [{"role": "user", "content": "Hi"}]}
        answer = httpx.post(f"{address.split()[-1]}/chat/completions", json=body)
        server.send_signal(signal.SIGTERM)
    assert answer.json()["choices"][0]["message"]["content"] == "Hello!"
    assert server.returncode == 0

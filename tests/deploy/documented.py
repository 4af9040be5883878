"""The commands of other programs that the docs give: what they name is there."""

import argparse
import re
import tomllib
from collections.abc import Callable, Sequence

from sglang_router.router_args import RouterArgs

from functionary_sgl.cli import keys
from functionary_sgl.engines.remote.peer import PLAIN_FLAGS
from tests.deploy import files
from tests.paths import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())

KEYS = "keys.txt"
"""What the reader has written."""


def served(words: Sequence[str]) -> list[str]:
    """The flags for `functionary-sgl serve` in a command of another program; fails if what it names
    is not there."""
    words = list(words[1:] if words[0] == "sudo" else words)
    program = words[0].rpartition("/")[2]
    if program == "docker":
        return _docker(words[1:])
    if "/" in words[0]:
        assert words[0].rpartition("/")[0] == _place_of_the_unit()
    _CHECKS[program](words[1:])
    return []


def _place_of_the_unit() -> str:
    (start,) = files.unit()["Service"]["ExecStart"]
    return start.split()[0].rpartition("/")[0]


def _docker(words: list[str]) -> list[str]:
    if words[:2] == ["compose", "up"]:
        assert files.COMPOSE.is_file()
        return []
    image = files.compose_service()["image"]
    if words[0] == "build":
        assert words == ["build", "--tag", image, "."]
        return []
    assert words[0] == "run"
    options, (serve, *arguments) = words[1 : words.index(image)], words[words.index(image) + 1 :]
    assert serve == "serve"
    port = files.image_environment()["FUNCTIONARY_PORT"]
    assert options[options.index("-p") + 1].endswith(f":{port}")
    assert options[options.index("-v") + 1].endswith(":" + files.image_environment()["HOME"])
    assert options[options.index("-e") + 1] == keys.VARIABLE
    return arguments


def _pip(words: list[str]) -> None:
    if words == ["install", "functionary-sgl[router]"]:
        assert "router" in PROJECT["project"]["optional-dependencies"]
        return
    install, constraint, versions, wheel = words
    assert (install, constraint) == ("install", "--constraint")
    assert (ROOT / versions).is_file()
    assert wheel == "dist/functionary_sgl-*.whl"


def _module(words: list[str]) -> None:
    """Of SGLang: its router, or its own server as an engine of ours."""
    if words[:2] == ["-m", "sglang_router.launch_router"]:
        parser = argparse.ArgumentParser()
        RouterArgs.add_cli_args(parser, use_router_prefix=False, exclude_host_port=False)
        parser.parse_args(words[2:])
        return
    assert words == ["-m", "sglang.launch_server", "--model-path", "MODEL", *PLAIN_FLAGS.split()]


def _python(words: list[str]) -> None:
    assert words == ["-m", "venv", _place_of_the_unit().removesuffix("/bin")]


def _install(words: list[str]) -> None:
    *_, source, target = words
    assert source == KEYS or (ROOT / source).is_file()
    if source == KEYS:
        assert f"--api-key-file {target} " in files.unit()["Service"]["ExecStart"][0]
        assert words[words.index("--group") + 1] == _user()


def _useradd(words: list[str]) -> None:
    assert words == ["--system", _user()]


def _user() -> str:
    (user,) = files.unit()["Service"]["User"]
    return user


def _systemctl(words: list[str]) -> None:
    assert words[-1] == files.UNIT.stem


def _nginx(words: list[str]) -> None:
    assert words == ["-t"]


def _kubectl(words: list[str]) -> None:
    if words[0] == "apply":
        assert words[1] == "--kustomize"
        assert (ROOT / words[2] / "kustomization.yaml").is_file()
        return
    (volume,) = [volume for volume in files.pod()["volumes"] if "secret" in volume]
    name, source = volume["secret"]["secretName"], words[-1]
    assert words[:-1] == ["create", "secret", "generic", name, "--from-file"]
    (path,) = [a for a in files.container()["args"] if a.startswith("--api-key-file=")]
    assert source == f"{path.rpartition('/')[2]}={KEYS}"


def _modal(words: list[str]) -> None:
    if words[0] == "deploy":
        assert (ROOT / words[1]) == files.MODAL
        return
    secret, create, name, value = words
    assert (secret, create) == ("secret", "create")
    recipe = files.MODAL.read_text()
    asked = re.findall(r'Secret.from_name\("(.*)", required_keys=\["(.*)"\]', recipe)
    assert asked == [(name, value.partition("=")[0])]


_CHECKS: dict[str, Callable[[list[str]], None]] = {
    "pip": _pip,
    "python": _module,
    "python3": _python,
    "install": _install,
    "useradd": _useradd,
    "systemctl": _systemctl,
    "nginx": _nginx,
    "kubectl": _kubectl,
    "modal": _modal,
}

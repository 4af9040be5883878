"""The files that say how it is run elsewhere, read by ourselves."""

import importlib.util
import json
import re
import shlex
import tomllib
from collections.abc import Iterator
from functools import cache
from types import ModuleType
from typing import Any

import yaml

from tests.paths import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
DEPLOY = ROOT / "deploy"
DOCKERFILE, COMPOSE = ROOT / "Dockerfile", ROOT / "compose.yaml"
KUBERNETES = DEPLOY / "kubernetes"
UNIT = DEPLOY / "systemd" / "functionary-sgl.service"
NGINX = DEPLOY / "nginx" / "functionary-sgl.conf"
MODAL = DEPLOY / "modal" / "serve.py"


@cache
def dockerfile() -> tuple[tuple[str, str], ...]:
    """Its instructions, each with what it is told, on one line."""
    text = re.sub(r"^#.*\n", "", DOCKERFILE.read_text(), flags=re.MULTILINE)
    lines = re.sub(r"\\\n", " ", text).splitlines()
    parts = (line.partition(" ") for line in lines if line.strip())
    return tuple((name, rest) for name, _, rest in parts)


def told(instruction: str) -> list[str]:
    """What the Dockerfile tells by all instructions of a kind."""
    return [rest for name, rest in dockerfile() if name == instruction]


def image_environment() -> dict[str, str]:
    pairs = [word.partition("=") for rest in told("ENV") for word in shlex.split(rest)]
    return {name: value for name, _, value in pairs}


def image_command() -> tuple[list[str], list[str]]:
    """What runs before what a user may give, and what is given if nothing is."""
    return json.loads(told("ENTRYPOINT")[-1]), json.loads(told("CMD")[-1])


def compose_service() -> dict[str, Any]:
    """The one service, its variables as if none was set but the key."""
    text = COMPOSE.read_text().replace("${FUNCTIONARY_API_KEY:?", "${KEY:-")
    text = re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", text)
    (service,) = yaml.safe_load(text)["services"].values()
    return dict(service)


@cache
def manifest(name: str) -> Any:
    return yaml.safe_load((KUBERNETES / f"{name}.yaml").read_text())


def pod() -> dict[str, Any]:
    return dict(manifest("deployment")["spec"]["template"]["spec"])


def container() -> dict[str, Any]:
    (only,) = pod()["containers"]
    return dict(only)


def unit() -> dict[str, dict[str, list[str]]]:
    """A unit's sections: of each key all that it is given."""
    section: dict[str, list[str]] = {}
    sections = {}
    for line in UNIT.read_text().splitlines():
        if line.startswith("["):
            section = sections[line.strip("[]")] = {}
        elif line and not line.startswith("#"):
            key, _, value = line.partition("=")
            section.setdefault(key, []).append(value)
    return sections


@cache
def recipe() -> ModuleType:
    """Modal's, imported as `modal deploy` does it."""
    spec = importlib.util.spec_from_file_location("modal_recipe", MODAL)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def commands() -> Iterator[tuple[str, list[str], dict[str, str]]]:
    """Each command line for the server behind `functionary-sgl`, with where it is and the variables
    that it gets."""
    _, default = image_command()
    variables = image_environment()
    yield "Dockerfile", default, variables
    service = compose_service()
    yield "compose.yaml", service["command"], variables | service["environment"]
    yield "kubernetes", container()["args"], variables
    (start,) = unit()["Service"]["ExecStart"]
    yield "systemd", shlex.split(start)[1:], {}
    yield "modal", recipe().command()[1:], {}

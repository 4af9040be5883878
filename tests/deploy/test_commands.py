"""Whatever starts a server elsewhere starts one that is there.

What SGLang's own parser says of these commands is in `tests/engine/test_flags.py`.
"""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from functionary_sgl.cli import flags, keys, serve, server
from functionary_sgl.prompt.checkpoint import EMBEDDED
from tests.deploy import files
from tests.deploy.running import scripted, served

COMMANDS = {place: (argv, variables) for place, argv, variables in files.commands()}


def options(place: str) -> tuple[Any, list[str]]:
    """A command's flags of ours, those of its environment too, and the others."""
    argv, variables = COMMANDS[place]
    assert argv[0] == "serve"
    parser = serve._parser()
    given = flags.from_environment(parser, variables)
    return parser.parse_known_args([*given, *argv[1:]])


@pytest.mark.parametrize("place", COMMANDS)
def test_flags_are_ours_or_sglangs(place: str) -> None:
    _, others = options(place)
    assert {flag.partition("=")[0] for flag in others} <= {
        "--max-running-requests",
        "--max-queued-requests",
    }


@pytest.mark.parametrize("place", ["Dockerfile", "compose.yaml", "kubernetes", "modal"])
def test_a_container_is_reached_from_outside_at_one_port(place: str) -> None:
    given, _ = options(place)
    assert (given.host, given.port) == ("0.0.0.0", 8000)


@pytest.mark.parametrize("place", ["compose.yaml", "kubernetes", "systemd", "modal"])
def test_a_key_is_asked_for(place: str) -> None:
    given, _ = options(place)
    argv, variables = COMMANDS[place]
    if place == "modal":
        assert f'required_keys=["{keys.VARIABLE}"]' in files.MODAL.read_text()
    else:
        assert given.api_key_file or keys.VARIABLE in variables
    assert "--api-key" not in " ".join(argv).split()


def least_seconds(place: str) -> int:
    """How long a server may take to end when it is told to."""
    given, _ = options(place)
    last = server.LAST_WORDS_SECONDS + server.CLOSE_SECONDS + server.END_SECONDS
    return int(given.drain_timeout + last)


def test_nobody_kills_a_server_that_drains() -> None:
    compose = files.compose_service()["stop_grace_period"]
    assert int(compose.removesuffix("s")) >= least_seconds("compose.yaml")
    (unit,) = files.unit()["Service"]["TimeoutStopSec"]
    assert int(unit) >= least_seconds("systemd")
    before = files.container()["lifecycle"]["preStop"]["sleep"]["seconds"]
    grace = files.pod()["terminationGracePeriodSeconds"]
    assert grace >= before + least_seconds("kubernetes")


def test_the_health_check_finds_a_server_and_misses_none(tmp_path: Path) -> None:
    (check,) = files.told("HEALTHCHECK")
    interpreter, *arguments = json.loads(check.partition("CMD ")[2])
    assert interpreter == "python"

    def healthy(port: str) -> bool:
        command = ["python3", *arguments]
        environment = {"FUNCTIONARY_PORT": port}
        return subprocess.run(command, env=environment, capture_output=True).returncode == 0

    with served(tmp_path, ["serve"]) as url:
        port = url.rpartition(":")[2]
        assert healthy(port)
    assert not healthy(port)


def test_the_unit_serves_those_who_have_its_key(tmp_path: Path) -> None:
    (tmp_path / "keys").write_text("first\nsecond\n")
    argv, _ = COMMANDS["systemd"]
    argv = [word.replace("/etc/functionary-sgl/keys", f"{tmp_path}/keys") for word in argv]
    with served(tmp_path, argv) as url:
        assert httpx.get(f"{url}/v1/models").status_code == 401
        asked = httpx.get(f"{url}/v1/models", headers={"authorization": "Bearer second"})
    assert asked.status_code == 200


PROBES = [
    pytest.param(probe["httpGet"], id=kind)
    for kind, probe in files.container().items()
    if kind.endswith("Probe")
]


@pytest.mark.parametrize("asked", PROBES)
def test_probes_ask_without_a_key_for_what_is_there(tmp_path: Path, asked: dict[str, str]) -> None:
    with served(tmp_path, ["serve"], FUNCTIONARY_API_KEY="k") as url:
        assert httpx.get(url + asked["path"]).status_code == 200
    assert asked["port"] in {port["name"] for port in files.container()["ports"]}


def test_modals_recipe_starts_a_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with served(tmp_path, ["serve"]) as url:
        assert httpx.get(f"{url}/ready").status_code == 200
    recipe = files.recipe()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    monkeypatch.setattr(recipe, "PORT", port)
    monkeypatch.setattr(recipe, "MODEL", str(EMBEDDED))
    monkeypatch.setattr(recipe, "CACHE", str(tmp_path))
    own = tmp_path / "functionary-sgl"
    own.write_text(
        f"#!{sys.executable}\nimport functionary_sgl.cli as c; raise SystemExit(c.main())\n"
    )
    own.chmod(0o755)
    path = f"{tmp_path}:{os.environ['PATH']}"
    variables = scripted(tmp_path) | {"PATH": path, keys.VARIABLE: "k"}
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    server = recipe.started()
    asked = httpx.get(f"http://127.0.0.1:{port}/v1/models", headers={"authorization": "Bearer k"})
    server.terminate()
    assert server.wait() == 0
    assert asked.status_code == 200


def test_modals_recipe_tells_of_a_server_that_does_not_start(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    recipe = files.recipe()
    monkeypatch.setattr(recipe, "command", lambda: ["false"])
    with pytest.raises(RuntimeError, match="did not start"):
        recipe.started()

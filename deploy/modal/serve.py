"""functionary-sgl on Modal: GPUs that are there while somebody asks.

    make wheel
    modal secret create functionary-sgl FUNCTIONARY_API_KEY=...
    modal deploy deploy/modal/serve.py

Modal starts containers when requests come, more of them as requests become many, and ends them when
nobody has asked for a while. It reads this file here, for the image, and in each container.
"""

import os
import subprocess
import time
import tomllib
import urllib.request
from pathlib import Path

import modal

MODEL = "meetkai/functionary-small-v3.2"
GPU = "L40S"  # "H100:4" has four, for --tp 4
PORT = 8000
CACHE = "/cache"
MINUTES = 60

# What an answer may take to end once its container is told to.
DRAIN_SECONDS = 20

image = modal.Image.from_registry("nvidia/cuda:13.0.3-devel-ubuntu24.04", add_python="3.12")
if modal.is_local():
    root = Path(__file__).resolve().parents[2]
    version = tomllib.loads((root / "pyproject.toml").read_text())["project"]["version"]
    wheel = f"functionary_sgl-{version}-py3-none-any.whl"
    image = (
        image.entrypoint([])
        .apt_install("g++", "libnuma1")
        .add_local_file(root / "constraints.txt", "/wheel/constraints.txt", copy=True)
        .add_local_file(root / "dist" / wheel, f"/wheel/{wheel}", copy=True)
        .uv_pip_install(f"/wheel/{wheel}", extra_options="--constraint /wheel/constraints.txt")
    )

app = modal.App("functionary-sgl")


def command() -> list[str]:
    """What serves. Its key is FUNCTIONARY_API_KEY, of the secret."""
    return [
        *("functionary-sgl", "serve"),
        *("--model-path", MODEL),
        *("--context-length", "8192"),
        *("--host", "0.0.0.0"),
        *("--port", str(PORT)),
        *("--drain-timeout", str(DRAIN_SECONDS)),
    ]


def started() -> subprocess.Popen[bytes]:
    """The server, when it takes requests."""
    server = subprocess.Popen(command(), env=os.environ | {"HOME": CACHE})
    while not is_ready():
        if server.poll() is not None:
            raise RuntimeError("The server did not start; its output above says why.")
        time.sleep(1)
    return server


def is_ready() -> bool:
    """Whether the server says that it takes requests."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{PORT}/ready", timeout=5):
            return True
    except OSError:  # nobody is there, or says no
        return False


@app.server(
    image=image,
    gpu=GPU,
    port=PORT,
    # The key is the server's own, as OpenAI's clients send it.
    secrets=[modal.Secret.from_name("functionary-sgl", required_keys=["FUNCTIONARY_API_KEY"])],
    unauthenticated=True,
    # Weights, kernels and compiled graphs, fetched and built once.
    volumes={CACHE: modal.Volume.from_name("functionary-sgl-cache", create_if_missing=True)},
    startup_timeout=30 * MINUTES,
    scaledown_window=10 * MINUTES,
    exit_grace_period=1 * MINUTES,
    target_concurrency=32,
)
class Functionary:
    @modal.enter()
    def start(self) -> None:
        self.server = started()

    @modal.exit()
    def stop(self) -> None:
        self.server.terminate()
        self.server.wait()

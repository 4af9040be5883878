"""The servers that are compared, each started on the same model."""

import contextlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import httpx
import psutil
from prometheus_client.parser import text_string_to_metric_families

from functionary_sgl.api.chat import intake
from functionary_sgl.api.chat.requests import ChatRequest
from functionary_sgl.engines.sglang.cpu_flags import LOOKS
from functionary_sgl.engines.sglang.platform import has_accelerator, multiplies_bfloat16
from functionary_sgl.prompt import checkpoint, detect
from functionary_sgl.prompt.prompter import Prompter

SGLANG = "sglang"
"""SGLang's own server; any other name is one of ours."""

_LAUNCHER = Path(__file__).parents[2] / "server_sglang.py"
_START_SECONDS = 600
_TOLD_CHARACTERS = 3_000

# What SGLang's server is best at this with. Its prompt is the text of the request, which is ours.
_SGLANG_FLAGS = (
    *("--grammar-backend", "llguidance", "--constrained-json-disable-any-whitespace"),
    *("--tool-call-parser", "pythonic", "--enable-cache-report", "--served-model-name", "default"),
)
_AS_IT_STANDS = "{%- for message in messages -%}{{ message.content }}{%- endfor -%}"


@dataclass
class Side:
    """A server, asked at `base_url` (with its /v1/) when it is `ready`."""

    name: str
    base_url: str
    process: "subprocess.Popen[bytes]"
    log: IO[bytes]
    prompter: Prompter

    def ready(self) -> None:
        """Wait until it answers; exits, with the end of its log, if it never will."""
        end = time.monotonic() + _START_SECONDS
        while time.monotonic() < end and self.process.poll() is None:
            with contextlib.suppress(httpx.HTTPError):
                if httpx.get(f"{self.base_url}models").status_code == 200:
                    return
            time.sleep(0.5)
        self.log.seek(0)
        told = self.log.read().decode(errors="replace")[-_TOLD_CHARACTERS:]
        sys.exit(f"{told}\nthe server {self.name} did not start")

    def cpu_seconds(self) -> float:
        """Processor time so far of the process that serves HTTP."""
        times = psutil.Process(self.process.pid).cpu_times()
        return float(times.user + times.system)

    def counted(self) -> dict[str, float]:
        """What the server has counted so far, by name; only ours counts."""
        if self.name == SGLANG:
            return {}
        text = httpx.get(f"{self.base_url}../metrics").text
        families = text_string_to_metric_families(text)
        return {one.name: one.value for family in families for one in family.samples}

    def request(self, request: dict[str, Any]) -> dict[str, Any]:
        """`request` as this server takes it: SGLang's is given our prompt for it."""
        if self.name != SGLANG:
            return request
        asked = ChatRequest.from_json(json.dumps(request))
        prompt = self.prompter.opened(intake.conversation(asked))
        return request | {
            "model": "default",
            "messages": [{"role": "user", "content": str(prompt)}],
        }


@contextlib.contextmanager
def running(sides: Mapping[str, Sequence[str]], model: str) -> Iterator[list[Side]]:
    """Servers on `model`, each with its flags, which are stopped at the end."""
    loaded = checkpoint.load(model)
    prompter = Prompter(detect.detect(loaded).format, loaded.tokenizer, loaded.template)
    with contextlib.ExitStack() as stack:
        started = []
        for name, flags in sides.items():
            started.append(stack.enter_context(_started(name, model, flags, prompter)))
            if has_accelerator():  # each looks how much of its memory the others have left
                started[-1].ready()
        for side in started:
            side.ready()
        yield started


@contextlib.contextmanager
def _started(name: str, model: str, flags: Sequence[str], prompter: Prompter) -> Iterator[Side]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    with contextlib.ExitStack() as stack:
        command = [sys.executable, str(_LAUNCHER)]
        if name == SGLANG:
            template = stack.enter_context(tempfile.NamedTemporaryFile("w", suffix=".jinja"))
            template.write(_AS_IT_STANDS)
            template.flush()
            command = [sys.executable, "-m", "sglang.launch_server", *_SGLANG_FLAGS]
            command += ["--chat-template", template.name]
        if name == SGLANG and not has_accelerator():
            command += ["--device", "cpu"]
            environment.setdefault("GOMP_SPINCOUNT", LOOKS)  # as ours does
        if not has_accelerator() and not multiplies_bfloat16():
            command += ["--dtype", "float32"]  # which ours chooses by itself, of weights in a file
        command += ["--model-path", model, "--port", str(port), *flags]
        log = stack.enter_context(tempfile.TemporaryFile())
        server = subprocess.Popen(command, stdout=log, stderr=log, env=environment)
        stack.callback(server.wait)
        stack.callback(server.terminate)
        yield Side(name, f"http://127.0.0.1:{port}/v1/", server, log, prompter)

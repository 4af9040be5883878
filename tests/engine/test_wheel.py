"""The wheel alone serves a model: the platform for processors is found by its entry point, and
SGLang's processes have what hangs on their hooks."""

import subprocess
from pathlib import Path

import openai

from tests.conftest import WEATHER
from tests.deploy.installed import Environment, build


def test_the_embedded_model_is_served_from_the_wheel(tmp_path: Path) -> None:
    wheel, _ = build(tmp_path / "dist")
    installed = Environment(tmp_path)
    installed.install(wheel)
    with subprocess.Popen(
        [str(installed.bin / "functionary-sgl"), "serve", "--port=0", "--dtype=float32"],
        cwd=tmp_path,
        env=installed.variables | {"OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as server:
        try:
            assert server.stdout is not None
            address = [server.stdout.readline() for _ in range(4)][2]
            assert address, server.communicate()[1]
            client = openai.OpenAI(base_url=address.split()[-1], api_key="none")
            answer = client.chat.completions.create(
                model="functionary-nano",
                messages=[{"role": "user", "content": "What is the weather for Istanbul?"}],
                tools=[WEATHER],  # type: ignore[list-item]
                temperature=0,
            )
        finally:
            server.terminate()
            server.communicate()
    (call,) = answer.choices[0].message.tool_calls or ()
    assert call.type == "function"
    assert call.function.arguments == '{"location": "Istanbul"}'
    assert server.returncode == 0

"""The server as a process: its start, its mistakes, its end."""

import contextlib
import json
import shlex
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from functionary_sgl.api.keys import Keyring
from functionary_sgl.cli import flags, keys, main, serve, server
from functionary_sgl.cli.listener import bind
from functionary_sgl.cli.rereading import Rereading
from functionary_sgl.errors import UsageError
from functionary_sgl.turns import FORMATS
from tests import hostile
from tests.formats import PROMPTERS
from tests.serving import Served, scripted_model, serving

HELLO = {"replies": [{"match": "", "turn": "all\nHello!"}]}
DYING = {"replies": [{"match": "", "turn": "all\nHello!", "fault": "die", "after": 1}]}
ASK = {"model": "functionary-nano", "messages": [{"role": "user", "content": "Hi"}]}


@pytest.fixture
def configured(tmp_path: Path) -> Iterator[Any]:
    """As `start`, but in this process: the model is what counts, not how its server begins."""
    with contextlib.ExitStack() as stack:

        def configured(script: Any, *arguments: str) -> Served:
            file = tmp_path / "script.json"
            file.write_text(json.dumps(script))
            parser = serve._parser()
            argv = ["--engine", "scripted", "--script", str(file), *arguments]
            options, others = parser.parse_known_args(flags.from_environment(parser) + argv)
            model = serve._model(parser, options, others, engine_key=None, waiting=lambda: None)
            return stack.enter_context(serving(model))

        yield configured


def test_the_banner_says_what_is_served_and_how_to_try_it(start: Any) -> None:
    server = start(HELLO, "--served-model-name", "mine")
    model, template, address, attempt = server.banner
    assert model == "model     mine, functionary-nano\n"
    assert template == "template  v3.llama3 (named in the checkpoint's chat template)\n"
    assert address.startswith("address   http://127.0.0.1:")
    curl, url, _, header, _, body = shlex.split(attempt.removeprefix("try "))
    assert curl == "curl"
    answer = httpx.post(url, headers=dict([header.split(": ")]), content=body)
    assert answer.json()["choices"][0]["message"]["content"] == "Hello!"
    # It answers without what takes seconds to import.
    assert "libtorch" not in Path(f"/proc/{server.process.pid}/maps").read_text()


@pytest.mark.parametrize(
    ("template", "turn"),
    [
        ("v2", "all\n<|content|>Hello!"),
        ("v2.llama3", "Hello!"),
        ("v3.llama3", "all\nHello!"),
        ("v3-llama3.1", "Hello!"),
    ],
)
def test_every_template_can_be_scripted(configured: Any, template: str, turn: str) -> None:
    served = configured({"replies": [{"match": "", "turn": turn}]}, "--template", template)
    answer = served.http.post("/v1/chat/completions", json=ASK)
    assert answer.json()["choices"][0]["message"]["content"] == "Hello!"


BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}


def test_browsers_are_shown_the_page_unless_it_is_off(start: Any) -> None:
    for off, kind in (((), "text/html"), (("--no-page",), "application/json")):
        server = start(HELLO, "--api-key", "secret", *off)
        answer = httpx.get(server.url, headers=BROWSER)
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith(kind)
        found = httpx.get(f"{server.url}/page/main.js").status_code
        assert found == (404 if off else 200)


@pytest.mark.parametrize(
    ("given", "origin", "status"),
    [
        ("https://page.example", "https://page.example", 200),
        ("https://Page.example:443/", "https://page.example", 200),
        ("http://page.example:80", "http://page.example", 200),
        ("http://[::1]:3000", "http://[::1]:3000", 200),
        ("*", "https://anybody.example", 200),
        ("null", "null", 200),
        ("https://page.example", "https://other.example", 403),
        (None, "https://page.example", 403),
    ],
)
def test_pages_that_are_allowed_may_ask(given: str | None, origin: str, status: int) -> None:
    options = serve._parser().parse_args(["--allowed-origins", given] if given else [])
    model = scripted_model(PROMPTERS["v3.llama3"], {"turn": "all\nHello"})
    with serving(model, origins=options.allowed_origins) as served:
        answer = served.http.get("/v1/models", headers={"origin": origin})
    assert answer.status_code == status


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_in_order(start: Any, number: int) -> None:
    server = start(HELLO)
    assert httpx.get(f"{server.url}/health").status_code == 200
    server.process.send_signal(number)
    assert server.ended() == (0, "")


def test_a_signal_lets_a_running_answer_end(start: Any) -> None:
    slow = {"replies": [{"match": "", "turn": "all\nHello, how are you?", "delay": 0.1}]}
    server = start(slow)
    with httpx.stream(
        "POST", f"{server.url}/v1/chat/completions", json=ASK | {"stream": True}
    ) as r:
        lines = r.iter_lines()
        next(lines)
        server.process.send_signal(signal.SIGTERM)
        rest = list(lines)
    assert "data: [DONE]" in rest
    assert server.ended()[0] == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_answers_that_outlast_the_drain_end_with_an_error(start: Any, number: int) -> None:
    """Streams with an event and whole answers with a 503; the log with one line."""
    endless = {"replies": [{"match": "", "turn": "all\nHello!", "fault": "stall", "after": 1}]}
    bounds = "--max-running-turns=3", "--max-waiting-turns=0"
    server = start(endless, "--drain-timeout", "1", *bounds)
    told: dict[str, httpx.Response] = {}
    begun = threading.Event()

    def stream() -> None:
        url = f"{server.url}/v1/chat/completions"
        with httpx.stream("POST", url, json=ASK | {"stream": True, "n": 2}, timeout=20) as response:
            lines = []
            for line in response.iter_lines():
                lines.append(line)
                begun.set()
            told["stream"] = [line for line in lines if line]  # type: ignore[assignment]

    def whole() -> None:
        told["whole"] = httpx.post(f"{server.url}/v1/chat/completions", json=ASK, timeout=20)

    threads = [threading.Thread(target=target) for target in (stream, whole)]
    for thread in threads:
        thread.start()
    assert begun.wait(10)
    while httpx.get(f"{server.url}/ready").status_code == 200:
        time.sleep(0.01)  # for the other to have come in, too
    server.process.send_signal(number)
    for thread in threads:
        thread.join(20)
    code, errors = server.ended()
    assert code == 0
    assert errors == "functionary-sgl: answers cut short: 2\n"
    last = json.loads(told["stream"][-1].removeprefix("data: "))  # type: ignore[index]
    assert "stopped" in last["error"]["message"]
    assert told["whole"].status_code == 503
    assert told["whole"].json()["error"]["type"] == "server_error"


def test_a_second_ctrl_c_does_not_wait(start: Any) -> None:
    endless = {"replies": [{"match": "", "turn": "all\nHello!", "fault": "stall", "after": 1}]}
    server = start(endless)
    with httpx.stream(
        "POST", f"{server.url}/v1/chat/completions", json=ASK | {"stream": True}, timeout=20
    ) as response:
        lines = response.iter_lines()
        next(lines)
        server.process.send_signal(signal.SIGINT)
        time.sleep(0.5)
        server.process.send_signal(signal.SIGINT)
        last = [line for line in lines if line][-1]
    assert "stopped" in json.loads(last.removeprefix("data: "))["error"]["message"]
    code, errors = server.ended()
    assert (code, errors) == (0, "functionary-sgl: answers cut short: 1\n")


def test_an_engine_that_dies_ends_streams_with_an_error_and_the_process_with_its_reason(
    start: Any,
) -> None:
    server = start(DYING)
    told: list[str] = []

    def read() -> None:
        response = httpx.post(f"{server.url}/v1/chat/completions", json=ASK | {"stream": True})
        told.append(response.text)

    thread = threading.Thread(target=read)
    thread.start()
    code, errors = server.ended()
    thread.join()
    assert code == 1
    assert "The scripted engine died" in errors
    *_, last = told[0].strip().split("\n\n")
    assert "died" in json.loads(last.removeprefix("data: "))["error"]["message"]


def test_variables_are_settings(start: Any) -> None:
    server = start(HELLO, FUNCTIONARY_SERVED_MODEL_NAME="from-environment", FUNCTIONARY_TYPO="1")
    assert "from-environment" in server.banner[0]
    server.process.send_signal(signal.SIGTERM)
    assert "FUNCTIONARY_TYPO is no setting" in server.ended()[1]


@pytest.mark.parametrize("constraints", ["names", "off"])
def test_constraints_are_a_setting(
    configured: Any, monkeypatch: pytest.MonkeyPatch, constraints: str
) -> None:
    monkeypatch.setenv("FUNCTIONARY_CONSTRAINTS", constraints)
    served = configured({"replies": [{"match": "", "turn": 'f\n{"a": "text"}'}]})
    content = hostile.body('{"properties": {"a": {"type": "integer"}}}', model="functionary-nano")
    response = served.http.post("/v1/chat/completions", content=content)
    (made,) = response.json()["choices"][0]["message"]["tool_calls"]
    assert made["function"]["arguments"] == '{"a": "text"}'
    assert response.headers["functionary-unenforced"] == "tools[0].function.parameters"


@pytest.mark.parametrize("asked", [{}, {"max_tokens": 4}, {"max_completion_tokens": 4000}])
def test_no_answer_is_longer_than_the_server_lets_it_be(
    configured: Any, asked: dict[str, int]
) -> None:
    long = {"replies": [{"match": "", "turn": "all\nHello, how are you this morning?"}]}
    served = configured(long, "--max-output-tokens", "3")
    answer = served.http.post("/v1/chat/completions", json=ASK | asked).json()
    assert answer["usage"]["completion_tokens"] == 3
    assert answer["choices"][0]["finish_reason"] == "length"
    answer = served.http.post("/v1/chat/completions", json=ASK | {"max_tokens": 2}).json()
    assert answer["usage"]["completion_tokens"] == 2


def test_the_size_of_bodies_is_a_setting(start: Any) -> None:
    server = start(HELLO, "--max-body-mb", "1")
    for user, status in (("x" * 2**19, 200), ("x" * 2**20, 413)):
        answer = httpx.post(f"{server.url}/v1/chat/completions", json=ASK | {"user": user})
        assert answer.status_code == status
    assert answer.json()["error"]["message"] == "The body is larger than 1 MiB."


def test_who_asks_by_way_of_a_proxy_is_not_on_this_machine(start: Any) -> None:
    server = start(HELLO)
    for client, status in ((None, 400), ("10.0.0.1", 403), ("127.0.0.1", 400)):
        headers = {} if client is None else {"x-forwarded-for": client}
        answer = httpx.post(f"{server.url}/v1/load_lora_adapter", json={}, headers=headers)
        assert answer.status_code == status


FEW_FILES = """
import resource, sys
from functionary_sgl.cli import main
resource.setrlimit(resource.RLIMIT_NOFILE, (300, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
sys.exit(main(["serve", *sys.argv[1:]]))
"""


def test_there_are_so_many_connections_at_once(start: Any) -> None:
    server = start(HELLO, "--max-connections", "400", program=("-c", FEW_FILES))
    url = httpx.URL(server.url)
    with contextlib.ExitStack() as stack:
        for _ in range(399):
            stack.enter_context(socket.create_connection((url.host, url.port)))
        # One is left; whoever has it goes on.
        client = stack.enter_context(httpx.Client(base_url=server.url))
        assert client.post("/v1/chat/completions", json=ASK).status_code == 200
        refused = httpx.get(f"{server.url}/health")
        assert refused.status_code == 503
        assert "too many connections" in refused.json()["error"]["message"]
        assert client.post("/v1/chat/completions", json=ASK).status_code == 200
    for _ in range(100):  # those that were closed are, by and by
        if httpx.get(f"{server.url}/health").status_code == 200:
            break
        time.sleep(0.05)
    assert httpx.get(f"{server.url}/health").status_code == 200
    server.process.terminate()
    assert server.ended() == (0, "")


def test_the_key_is_asked_for(start: Any) -> None:
    server = start(HELLO, "--api-key", "k")
    assert httpx.get(f"{server.url}/v1/models").status_code == 401


def test_an_engine_that_does_not_get_ready_is_closed(
    configured: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = configured(HELLO).model
    closed = []

    async def ready(stop: Any) -> None:
        raise UsageError("no numbers")

    async def close() -> None:
        closed.append(True)

    monkeypatch.setattr(model.engine, "ready", ready)
    monkeypatch.setattr(model.engine, "close", close)
    options = serve._parser().parse_args([])
    rereading = Rereading(keys.Source.of(options, keys.Variables()), Keyring())
    with bind("127.0.0.1", 0) as listener, pytest.raises(UsageError, match="no numbers"):
        server.run(model, options, listener, rereading)
    assert closed


ENDLESS = """
import sys, time
from functionary_sgl.cli import main, server
from functionary_sgl.engines.scripted import ScriptedEngine

async def close(engine):
    time.sleep(1000)

ScriptedEngine.close = close
server.END_SECONDS = 1
sys.exit(main(["serve", "--engine", "scripted", "--port", "0", "--script", sys.argv[1]]))
"""


def test_an_engine_that_does_not_end_is_left(tmp_path: Path) -> None:
    script = tmp_path / "script.json"
    script.write_text(json.dumps(HELLO))
    command = [sys.executable, "-c", ENDLESS, str(script)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert any(line.startswith(b"try") for line in process.stdout)
        process.terminate()
        _, errors = process.communicate(timeout=20)
    assert process.returncode == 1
    assert b"in close" in errors


def mistakes(argv: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    assert main(["serve", *argv]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert len(err.splitlines()) == 1
    return err


@pytest.mark.parametrize(
    ("argv", "reason"),
    [
        (["--engine", "scripted", "--nonsense"], "unknown flag --nonsense"),
        (["--engine", "magic"], "invalid choice: 'magic'"),
        (["--engine", "scripted"], "needs --script"),
        (["--script", "x.json"], "--script is for --engine scripted"),
        (["--lora-dirs", "/", "/none"], "--lora-dirs: there is no directory /none"),
        (["--engine", "scripted", "--script", "x", "--lora-dirs", "/"], "no use for --lora-dirs"),
        (["--engine", "scripted", "--script", "/none.json"], "/none.json cannot be read"),
        (["--model-path", "/none"], "there is no model directory /none"),
        (["--template", "v9"], "unknown template 'v9'"),
        (["--allowed-origins", "example.com"], "example.com is no origin of web pages"),
        (["--allowed-origins", "https://example.com/page"], "is no origin of web pages"),
        (["--allowed-origins", "https://me@example.com"], "is no origin of web pages"),
        (["--allowed-origins", "https://example.com:x"], "is no origin of web pages"),
        (["--port", "x"], "argument --port: 'x' is not a port"),
        (["--constraints", "some"], "invalid choice: 'some'"),
        (["--grammar-cache-mb", "0"], "'0' is not a whole number above 0"),
        (["--max-output-tokens", "0"], "'0' is not a whole number above 0"),
        (["--max-body-mb", "257"], "257 MiB are too many; at most 256 can be taken"),
        (["--max-connections", "1000000000"], "allow it more"),
        (["--port", "99999"], "argument --port: '99999' is not a port, 0 to 65535"),
        (["--host", "no.such.host.invalid"], "cannot serve on no.such.host.invalid"),
    ],
)
def test_mistakes_are_one_line(
    argv: list[str], reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    argv = argv if "--port" in argv else [*argv, "--port", "0"]
    assert reason in mistakes(argv, capsys)


def test_a_model_with_an_unknown_template_asks_for_the_flag(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from functionary_sgl.prompt import checkpoint

    (tmp_path / "tokenizer.json").write_bytes((checkpoint.EMBEDDED / "tokenizer.json").read_bytes())
    assert "--template" in mistakes(["--model-path", str(tmp_path), "--port", "0"], capsys)


@pytest.mark.parametrize("template", [name for name, f in FORMATS.items() if not f.template_text])
def test_a_template_that_is_the_models_own_needs_such_a_model(
    template: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What the embedded model has as its chat template is only the name of its format."""
    script = tmp_path / "script.json"
    script.write_text('{"replies": []}')
    scripted = ["--engine", "scripted", "--script", str(script), "--port", "0"]
    told = mistakes([*scripted, "--template", template], capsys)
    assert f"{template} is rendered by the model's own chat template" in told
    assert "has that of v3.llama3" in told


def test_a_port_in_use_is_named_so(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        reason = f"cannot serve on 127.0.0.1 port {port}: Address already in use"
        assert reason in mistakes(["--port", str(port)], capsys)


def test_a_file_has_the_responses_of_a_server_that_ended(start: Any, tmp_path: Path) -> None:
    file = tmp_path / "responses.db"
    first = start(HELLO, "--store-file", str(file))
    made = httpx.post(f"{first.url}/v1/responses", json={"input": "Hi"}).json()
    first.process.send_signal(signal.SIGTERM)
    assert first.process.wait(20) == 0
    second = start(HELLO, "--store-file", str(file), "--store-hours", "1")
    url = f"{second.url}/v1/responses"
    assert httpx.get(f"{url}/{made['id']}").json() == made
    following = {"input": "And?", "previous_response_id": made["id"]}
    assert httpx.post(url, json=following).json()["status"] == "completed"


def test_a_store_that_cannot_be_had_is_told_in_a_line(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    script = tmp_path / "script.json"
    script.write_text(json.dumps(HELLO))
    argv = ["serve", "--engine", "scripted", "--script", str(script), "--port", "0"]
    assert main([*argv, "--store-file", str(tmp_path)]) == 2
    assert "the store" in capsys.readouterr().err

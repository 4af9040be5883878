"""A server whose engine is on another machine, as a process."""

import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import openai
import pytest

from functionary_sgl.cli import main
from functionary_sgl.cli.engine import serve_engine
from functionary_sgl.errors import UsageError
from functionary_sgl.prompt import checkpoint, detect
from functionary_sgl.prompt.prompter import Prompter
from functionary_sgl.tokenizer import Tokenizer
from tests.cli.process import SECONDS, Process
from tests.conftest import WEATHER
from tests.engines.remote import faults
from tests.engines.remote.engine_server import EngineServer, engine_server
from tests.serving import connect, counted
from tests.waiting import until

CALL = 'get_current_weather\n{"location": "Istanbul"}'
REPLY = {"turn": CALL, "chunk": 1}


@pytest.fixture(scope="module")
def embedded() -> Tokenizer:
    """The embedded model's, as a server has it."""
    loaded = checkpoint.load(str(checkpoint.EMBEDDED))
    return Prompter(detect.detect(loaded).format, loaded.tokenizer, loaded.template).tokenizer


@pytest.fixture
def engine(embedded: Tokenizer) -> Iterator[EngineServer]:
    with engine_server(embedded, REPLY) as server:
        yield server


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Process]]:
    """Call it with an engine to have a server before that."""
    started: list[Process] = []

    def serve(engine: EngineServer, *flags: str, **environment: str) -> Process:
        arguments = ["--engine-url", engine.url, "--port", "0", "--request-log", "off"]
        log = tmp_path / f"log-{len(started)}"
        # The script knows of one question, not of whole turns.
        arguments += ["--turn-grammars", "off", *flags]
        started.append(Process(log, arguments, environment))
        return started[-1]

    yield serve
    for process in started:
        process.process.kill()
        process.process.communicate()


def ask(client: openai.OpenAI, **fields: Any) -> Any:
    return client.chat.completions.create(
        model="functionary-nano",
        messages=[{"role": "user", "content": "What is the weather for Istanbul?"}],
        tools=[WEATHER],
        **fields,
    )


def called(client: openai.OpenAI) -> tuple[str, str]:
    """The name and arguments of the one call of an answer that is streamed."""
    deltas = [chunk.choices[0].delta for chunk in ask(client, stream=True) if chunk.choices]
    calls = [call.function for delta in deltas for call in delta.tool_calls or ()]
    return "".join(c.name or "" for c in calls), "".join(c.arguments or "" for c in calls)


def test_calls_are_answered_without_torch(engine: EngineServer, serve: Any) -> None:
    server = serve(engine)
    http, client = connect(server.url)
    with http, client:
        assert called(client) == ("get_current_weather", '{"location": "Istanbul"}')
        (call,) = ask(client).choices[0].message.tool_calls
        assert call.function.arguments == '{"location": "Istanbul"}'
        assert counted(http, "functionary_engine_requests_total") > 2
    libraries = Path(f"/proc/{server.process.pid}/maps").read_text()
    assert "libtorch" not in libraries


def test_what_is_lost_is_told_and_what_comes_back_is_asked(
    engine: EngineServer, serve: Any
) -> None:
    server = serve(engine)
    http, client = connect(server.url)
    with http, client:
        assert called(client)[0] == "get_current_weather"
        assert http.get("/ready").status_code == 200
        engine.stop()
        until(lambda: http.get("/ready").status_code == 503, SECONDS)
        assert "cannot be asked now: Connection refused" in http.get("/ready").text
        health = http.get("/health")
        assert health.status_code == 200, "to start this server anew would mend nothing"
        assert "cannot be asked now" in health.json()["engine"]
        with pytest.raises(openai.InternalServerError, match="does not answer") as told:
            ask(client)
        assert told.value.status_code == 503
        assert engine.url.removeprefix("http://") not in str(told.value)
        engine.start()
        until(lambda: http.get("/ready").status_code == 200, SECONDS)
        assert http.get("/health").json() == {"status": "ok"}
        assert called(client)[0] == "get_current_weather"


def cut_arguments(engine: EngineServer, embedded: Tokenizer) -> None:
    """Have the engine break off in the arguments when it is asked the same again: they are what is
    asked for before the last."""
    engine.faults.extend([faults.none] * (len(engine.bodies) - 2))
    engine.faults.append(faults.cut(engine, embedded.encode('{"loc')))


def test_a_stream_that_is_cut_ends_with_an_error(
    engine: EngineServer, serve: Any, embedded: Tokenizer
) -> None:
    server = serve(engine)
    http, client = connect(server.url)
    with http, client:
        called(client)
        cut_arguments(engine, embedded)
        with pytest.raises(openai.APIError, match="lost in the middle of this answer"):
            called(client)
        assert counted(http, "functionary_engine_retries_total") == 0


def of_chat(client: openai.OpenAI) -> str:
    """The arguments of the call of a whole answer."""
    arguments: str = ask(client).choices[0].message.tool_calls[0].function.arguments
    return arguments


def of_responses(client: openai.OpenAI, **fields: Any) -> str:
    tool: Any = {"type": "function", "strict": False, **WEATHER["function"]}
    question = "What is the weather for Istanbul?"
    made = client.responses.create(model="functionary-nano", input=question, tools=[tool], **fields)
    end = time.monotonic() + SECONDS
    while made.status == "in_progress" and time.monotonic() < end:
        made = client.responses.retrieve(made.id)
    if made.error is not None:
        raise openai.OpenAIError(made.error.message)
    (item,) = made.output
    assert item.type == "function_call"
    return item.arguments


def of_responses_in_the_background(client: openai.OpenAI) -> str:
    return of_responses(client, background=True)


def of_completions(client: openai.OpenAI) -> str:
    """The text behind the name of a function, in a format's own words."""
    made = client.completions.create(model="functionary-nano", prompt="Calls: ", max_tokens=99)
    return made.choices[0].text.removeprefix("get_current_weather\n")


@pytest.mark.parametrize(
    "asked", [of_chat, of_responses, of_responses_in_the_background, of_completions]
)
def test_a_whole_answer_that_is_cut_is_begun_anew(
    engine: EngineServer, serve: Any, embedded: Tokenizer, asked: Callable[[openai.OpenAI], str]
) -> None:
    server = serve(engine)
    http, client = connect(server.url)
    with http, client:
        assert asked(client) == '{"location": "Istanbul"}'
        text = asked is of_completions
        engine.faults.extend([faults.none] * (0 if text else len(engine.bodies) - 2))
        engine.faults.append(faults.cut(engine, embedded.encode('{"loc')))
        assert asked(client) == '{"location": "Istanbul"}'
        assert counted(http, "functionary_answers_again_total") == 1
        engine.faults.extend([faults.cut(engine, embedded.encode("g"))] * 9)
        with pytest.raises(openai.OpenAIError, match="lost in the middle"):
            asked(client)
        assert counted(http, "functionary_answers_again_total") == 2


def test_what_has_not_begun_is_asked_again(engine: EngineServer, serve: Any) -> None:
    server = serve(engine)
    http, client = connect(server.url)
    with http, client:
        engine.faults.extend([faults.hung_up, faults.status(502), faults.raw(b"data: ?\n\n")])
        assert called(client) == ("get_current_weather", '{"location": "Istanbul"}')
        assert counted(http, "functionary_engine_retries_total") == 3
        for reason in ("unreachable", "nonsense"):
            series = f'functionary_engine_failures_total{{reason="{reason}"}}'
            assert counted(http, series) > 0


def test_it_ends_in_order(engine: EngineServer, serve: Any) -> None:
    server = serve(engine)
    server.process.send_signal(signal.SIGTERM)
    code, log = server.ended()
    assert (code, log) == (0, "")


def test_the_key_of_engines_is_taken_from_the_environment(engine: EngineServer, serve: Any) -> None:
    engine.key = "secret"
    server = serve(engine, FUNCTIONARY_ENGINE_API_KEY="secret")
    http, client = connect(server.url)
    with http, client:
        assert called(client)[0] == "get_current_weather"
    environment = Path(f"/proc/{server.process.pid}/cmdline").read_bytes()
    assert b"secret" not in environment


def test_the_doctor_asks_engines(engine: EngineServer, capsys: Any) -> None:
    main(["doctor", "--port", "0", "--engine-url", engine.url])
    out = capsys.readouterr().out
    assert f"ok     engine         {engine.url} is an engine for scripted, 8192 tokens" in out
    assert "weights" not in out
    engine.stop()
    assert main(["doctor", "--port", "0", "--engine-url", engine.url]) == 1
    assert "cannot be asked: Connection refused; start it" in capsys.readouterr().out
    engine.start()


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (["--engine-url", "localhost:1"], "is not of the form http://HOST:PORT"),
        (["--engine-url", "http://h:1", "--tp-size", "2"], "--tp-size is not for a server"),
        (["--engine-url", "http://h:1", "--drafts", "on"], "--drafts is not for a server"),
        (["--engine-url", "http://h:1", "--engine", "scripted"], "asks no --engine-url"),
    ],
)
def test_flags_that_do_not_go_with_it(flags: list[str], told: str, capsys: Any) -> None:
    assert main(["serve", "--port", "0", *flags]) == 2
    assert told in capsys.readouterr().err


@pytest.mark.parametrize(
    ("flags", "key", "told"),
    [
        (["--host", "0.0.0.0"], None, "could use this engine: set FUNCTIONARY_ENGINE_API_KEY"),
        (["--no-auth"], "secret", "give one of them"),
    ],
)
def test_an_engine_does_not_let_strangers_in(
    flags: list[str], key: str | None, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if key is not None:
        monkeypatch.setenv("FUNCTIONARY_ENGINE_API_KEY", key)
    with pytest.raises(UsageError, match=told):
        serve_engine(["--port", "0", *flags])

"""What clients send is in no log, at the level that logs have by default."""

import json
import logging
import re
import signal
from pathlib import Path
from typing import Any

import httpx
import pytest

from functionary_sgl.cli import logs
from tests.cli.process import START_SECONDS, Process
from tests.marks import MARK, PLAIN, Marks

KEY, WRONG = f"sk-{PLAIN}-of-a-client", f"sk-{PLAIN}-of-nobody"
REPLIES = [
    {"match": "fails", "turn": "all\nI will", "fault": "fail", "after": 1},
    {"match": "stalls", "turn": f"all\nHello {MARK}!", "fault": "stall", "after": 1},
    {"match": "", "turn": f"all\nHello {MARK}!"},
]

LINE = re.compile(
    r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d INFO \[req_[0-9a-f]{32}\] (GET|POST) "
    r"(other|/v1/chat/completions|/v1/models|/v1/models/\{name\}) \d{3}( key=shop)?"
    r"( model=functionary-nano)?( error=[A-Za-z]+)?( code=[a-z_]+)?( finish=(stop|failed|left))?"
    r"( prompt_tokens=\d+ cached_tokens=\d+ completion_tokens=\d+ calls=\d+)?"
    r"( first_token_s=\d+\.\d+)? duration_s=\d+\.\d+"
)

# A server with a bug: what is wrong says what it is wrong about, as exceptions do, in each place
# where Python tells of one.
BROKEN = """
import asyncio, gc, sys, threading
from functionary_sgl.api.chat import endpoint
from functionary_sgl.cli import main

def fail(text):
    try:
        raise KeyError(text)
    except KeyError as error:
        raise ValueError(f"no idea of {text}") from error

class Dropped:
    def __init__(self, text):
        self.text = text
    def __del__(self):
        fail(self.text)

async def fail_alone(text):
    fail(text)

async def sampling_of(text):
    asyncio.ensure_future(fail_alone(text))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    gc.collect()
    thread = threading.Thread(target=fail, args=(text,))
    thread.start()
    thread.join()
    Dropped(text)
    async with asyncio.TaskGroup() as group:
        group.create_task(fail_alone(text))

async def to(cls, asked, *rest):
    await sampling_of(str(asked))

endpoint._Answer.to = classmethod(to)
sys.exit(main(["serve", *sys.argv[1:]]))
"""


def asked(server: Process, *paths: str, **request: Any) -> list[int]:
    """The statuses of what `request` is answered with, on each path."""
    url = f"{server.url}/v1"
    headers = {"content-type": "application/json", "x-api-key": KEY} | request.pop("headers", {})
    request = {"timeout": 30} | request
    answers = [
        httpx.post(f"{url}{path}", headers=headers, **request)
        for path in paths or ("/chat/completions",)
    ]
    return [answer.status_code for answer in answers]


def log_of(server: Process) -> str:
    """All that it has said, when it has ended."""
    server.process.send_signal(signal.SIGTERM)
    _, log = server.ended()
    return log + server.rest


@pytest.fixture
def flags(tmp_path: Path) -> tuple[str, ...]:
    (tmp_path / "keys").write_text(f"{KEY} name=shop\n")
    return "--api-key-file", str(tmp_path / "keys")


@pytest.mark.parametrize("level", ["error", "info"])
def test_nothing_of_a_request_is_in_the_log(start: Any, flags: tuple[str, ...], level: str) -> None:
    server = start({"replies": REPLIES}, *flags, "--request-log", "on", "--log-level", level)
    marks, model = Marks(), server.banner[0].split()[1]
    for stream in (False, True):
        body = marks.body(model) | {"stream": stream}
        assert asked(server, json=body, headers=marks.headers()) == [200]
        body["messages"] = [{"role": "user", "content": f"{marks.text()} fails"}]
        assert asked(server, json=body) == [200 if stream else 500]
    for content in marks.bad_bodies(model):
        assert asked(server, content=content)[0] in (400, 404)
    paths = f"/{marks.name()}", f"/models/{marks.name()}", f"/models?{marks.name()}={marks.name()}"
    assert set(asked(server, *paths)) == {404, 405}
    for headers in (
        {"x-api-key": WRONG},
        {"authorization": f"Bearer {WRONG}", "x-api-key": ""},
        {"authorization": f"Basic {WRONG}", "x-api-key": ""},
    ):
        assert asked(server, json=marks.body(model), headers=headers) == [401]
    for headers, status in [
        ({"content-type": f"text/{PLAIN}"}, 415),
        ({"content-encoding": PLAIN}, 415),
        ({"content-encoding": "gzip"}, 400),
        ({"origin": f"https://{PLAIN}.example"}, 403),
    ]:
        assert asked(server, json=marks.body(model), headers=headers) == [status]
    for stream in (False, True):  # of clients that leave
        body = {"model": model, "messages": [{"role": "user", "content": f"{marks.text()} stalls"}]}
        with pytest.raises(httpx.TimeoutException):
            asked(server, json=body | {"stream": stream}, timeout=0.5)
    lines = log_of(server).splitlines()
    # A line for each request, in which all is ours: names, numbers, and ids made here.
    others = [line for line in lines if not LINE.fullmatch(line)]
    assert len(lines) - len(others) > 20
    # How uvicorn begins and ends, and which walls the sandbox has.
    assert (len(others) > 0) == (level == "info")
    assert not [line for line in others if "[req_" in line or "ERROR" in line]
    assert PLAIN not in "".join(lines)


def test_nor_what_an_unforeseen_error_says_of_it(start: Any, flags: tuple[str, ...]) -> None:
    server = start({"replies": REPLIES}, *flags, program=("-c", BROKEN))
    body = Marks().body(server.banner[0].split()[1])
    assert asked(server, json=body, headers={"x-request-id": "req_7"}) == [500]
    log = log_of(server)
    assert PLAIN not in log
    assert "request req_7 of shop failed" in log
    # Where it happened is there, and what led to it, from each of the places.
    assert log.count("in fail_alone") == 2
    assert log.count("builtins.KeyError\n") == log.count("builtins.ValueError\n") == 4
    assert "in __del__" in log
    assert "ExceptionGroup" in log


@pytest.mark.parametrize("level", ["debug", "trace"])
def test_who_looks_for_a_bug_is_told_what_it_says(
    start: Any, flags: tuple[str, ...], level: str
) -> None:
    server = start({"replies": REPLIES}, *flags, "--log-level", level, program=("-c", BROKEN))
    assert asked(server, json=Marks().body(server.banner[0].split()[1])) == [500]
    assert log_of(server).count(": no idea of") == 4


def test_of_the_systems_errors_the_reason_is_told(caplog: pytest.LogCaptureFixture) -> None:
    with logs.texts_kept_out("error"):
        try:
            Path(f"/none/{MARK}").read_text()
        except OSError:
            logging.getLogger("x").exception("failed")
    assert "FileNotFoundError: No such file or directory" in caplog.text
    assert PLAIN not in caplog.text
    # It is for as long as there are clients.
    logging.getLogger("x").error("failed", exc_info=ValueError(MARK))
    assert f"ValueError: {MARK}" in caplog.text


def test_an_error_that_led_to_itself_ends() -> None:
    first, second = ValueError(), KeyError()
    first.__context__, second.__context__ = second, first
    assert logs.without_texts(first).count("Traceback") == 2


def of_json(log: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.splitlines()]


def started(start: Any, flags: tuple[str, ...], *more: str, **options: Any) -> tuple[Process, str]:
    """A server whose lines are JSON, and its address."""
    json_lines = "--log-format", "json", "--request-log", "on"
    server = start({"replies": REPLIES}, *flags, *json_lines, *more, banner=False, **options)
    server.says('"message":"ready"', START_SECONDS)
    server.url = of_json(server.log)[-1]["address"].removesuffix("/v1")
    return server, server.url


@pytest.mark.parametrize("level", ["error", "info"])
def test_all_lines_are_json_if_so_wished(start: Any, flags: tuple[str, ...], level: str) -> None:
    server, _ = started(start, flags, "--log-level", level)
    body = Marks().body("functionary-nano") | {"tools": []}
    assert asked(server, json=body, headers={"x-request-id": "req_7"}) == [200]
    assert httpx.get(f"{server.url}/health").status_code == 200
    lines = of_json(log_of(server))
    (line,) = [line for line in lines if line.get("request_id") == "req_7"]
    assert line["logger"] == "functionary_sgl.requests"
    assert (line["endpoint"], line["status"], line["key"]) == ("/v1/chat/completions", 200, "shop")
    assert (line["model"], line["finish"], line["calls"]) == ("functionary-nano", "stop", 0)
    assert line["prompt_tokens"] > line["completion_tokens"] > line["cached_tokens"] == 0
    assert 0 < line["first_token_s"] <= line["duration_s"] < 30
    looked = [line for line in lines if line.get("endpoint") == "/health"]
    assert len(looked) == (level == "info")
    assert ("uvicorn.error" in {line["logger"] for line in lines}) == (level == "info")


def test_an_unforeseen_error_is_told_once_with_its_request(
    start: Any, flags: tuple[str, ...]
) -> None:
    server, _ = started(start, flags, program=("-c", BROKEN))
    assert asked(server, json=Marks().body("m"), headers={"x-request-id": "req_7"}) == [404]
    body = Marks().body("functionary-nano")
    assert asked(server, json=body, headers={"x-request-id": "req_8"}) == [500]
    lines = [line for line in of_json(log_of(server)) if line.get("request_id") == "req_8"]
    (failed,) = [line for line in lines if line["logger"] == "functionary_sgl.api.errors"]
    assert failed["traceback"].count("ExceptionGroup") == 1
    (line,) = [line for line in lines if line["logger"] == "functionary_sgl.requests"]
    assert (line["status"], line["error"]) == (500, "ExceptionGroup")


def test_our_own_loggers_are_heard(start: Any) -> None:
    server = start({"replies": REPLIES}, "--log-level", "info", "--request-log", "on")
    assert httpx.get(f"{server.url}/v1/models", headers={"x-request-id": "a"}).status_code == 200
    log = log_of(server)
    assert re.search(r"^\S+ \S+ INFO \[a\] GET /v1/models 200 duration_s=\S+$", log, re.M)


def test_a_request_that_is_refused_before_it_is_read_has_a_line(start: Any) -> None:
    server = start({"replies": REPLIES}, "--request-log", "on")
    answer = httpx.get(f"{server.url}/health", headers={"x-long": PLAIN * 3_000})
    assert answer.status_code == 431
    counted = httpx.get(f"{server.url}/metrics").text
    assert 'functionary_requests_total{endpoint="other",key="",status="431"} 1.0' in counted
    (line,) = log_of(server).splitlines()
    assert line.endswith(f"INFO [{answer.headers['x-request-id']}] - other 431")

"""Where keys come from, and who sees them."""

import argparse
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import psutil
import pytest

from functionary_sgl.cli import flags, keys, main, serve
from functionary_sgl.engines.sglang import launch
from functionary_sgl.errors import UsageError
from functionary_sgl.prompt import checkpoint
from tests.paths import ROOT

KEY = "sk-correct-horse-battery"


def read(*argv: str, variable: str | None = None) -> tuple[str, ...]:
    parser = flags.Parser()
    keys.add_flags(parser)
    return keys.read(parser.parse_args(argv), variable)


def refusal(*argv: str, variable: str | None = None) -> str:
    with pytest.raises(UsageError) as caught:
        read(*argv, variable=variable)
    return str(caught.value)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "keys"


def test_without_any_there_are_none() -> None:
    assert read() == ()


@pytest.mark.parametrize("text", ["k", " k", "k\n", "\tk \r\n"])
def test_white_space_around_a_key_is_not_of_it(file: Path, text: str) -> None:
    file.write_text(text, newline="")
    assert read(f"--api-key={text}") == read(variable=text) == ("k",)
    assert read("--api-key-file", str(file)) == ("k",)


@pytest.mark.parametrize("text", ["", " ", "\n", "\t \r\n"])
def test_a_blank_one_is_refused(file: Path, text: str) -> None:
    assert "--api-key is blank" in refusal(f"--api-key={text}")
    assert "FUNCTIONARY_API_KEY is blank" in refusal(variable=text)
    assert "FUNCTIONARY_API_KEY is blank" in refusal("--api-key=k", variable=text)
    file.write_text(text)
    assert f"{file} has no key" in refusal("--api-key-file", str(file))


@pytest.mark.parametrize("text", ["a\nb", "a\rb", "a\0b", "a\x1bb", "a\x7fb", "a\tb"])
def test_what_no_header_can_have_is_refused_and_not_shown(file: Path, text: str) -> None:
    told = [refusal(f"--api-key={text}"), refusal(variable=text)]
    if text not in ("a\nb", "a\rb"):  # which are two lines of a file
        file.write_text(f"ok\n{text}\n")
        told.append(refusal("--api-key-file", str(file)))
    for line in told:
        assert "control characters" in line
        assert text not in line


def test_bytes_that_are_no_text_are_refused(file: Path) -> None:
    assert "is not UTF-8 text" in refusal("--api-key=a\udcff")
    assert "is not UTF-8 text" in refusal(variable="a\udcff")
    file.write_bytes(b"a\xff")
    assert f"{file} is not UTF-8 text" in refusal("--api-key-file", str(file))


def test_a_file_has_a_key_on_each_line(file: Path) -> None:
    lines = [
        "\ufeff# for the team",
        "one",
        "",
        "  two \r",
        "#three",
        "séparé # not a comment",
        "one",
    ]
    file.write_text("\n".join(lines), encoding="utf-8")
    found = ("one", "two", "séparé # not a comment")
    assert read("--api-key-file", str(file)) == found
    assert read("--api-key-file", str(file), variable="four") == (*found, "four")
    assert read("--api-key-file", str(file), variable="two") == found


def test_the_command_line_goes_before_the_environment() -> None:
    assert read("--api-key", "a", variable="b") == ("a",)


@pytest.mark.parametrize(
    ("content", "told"),
    [("# none\n\n", "has no key"), ("a\n\0b", "line 2 has control characters")],
)
def test_a_file_without_good_keys_is_refused(file: Path, content: str, told: str) -> None:
    file.write_text(content)
    assert f"{file} {told}" in refusal("--api-key-file", str(file))


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    assert f"{tmp_path} cannot be read" in refusal("--api-key-file", str(tmp_path))
    assert "/none cannot be read" in refusal("--api-key-file", "/none")


def test_the_environment_has_it_no_longer() -> None:
    environment = {"FUNCTIONARY_API_KEY": KEY, "FUNCTIONARY_PORT": "1"}
    assert keys.from_environment(environment) == KEY
    assert environment == {"FUNCTIONARY_PORT": "1"}
    assert keys.from_environment(environment) is None


def test_mistakes_are_one_line_that_does_not_have_the_key(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for argv, variable, told in [
        (["--api-key", ""], None, "--api-key is blank"),
        ([], " ", "FUNCTIONARY_API_KEY is blank"),
        ([f"--api-kee={KEY}", "--engine", "scripted"], None, "unknown flag --api-kee "),
        ([f"--admin-api-key={KEY}", "--engine", "scripted"], None, "unknown flag --admin-api-key "),
    ]:
        if variable is not None:
            monkeypatch.setenv("FUNCTIONARY_API_KEY", variable)
        assert main(["serve", "--port", "0", *argv]) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert told in line
        assert KEY not in line


@pytest.mark.parametrize(
    ("name", "instead"),
    [
        ("api_key", "FUNCTIONARY_API_KEY"),
        ("admin_api_key", "leave it out"),
        ("ssl_keyfile_password", "without a password"),
    ],
)
def test_sglang_is_given_no_secret(name: str, instead: str) -> None:
    arguments = argparse.Namespace(**{name: KEY})
    with pytest.raises(UsageError, match=f"--{name.replace('_', '-')} of SGLang's.*{instead}") as e:
        launch.start(arguments, checkpoint.load(str(checkpoint.EMBEDDED)).tokenizer, 1)
    assert KEY not in str(e.value)


def test_the_key_is_not_among_the_flags_for_sglang(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[str] = []

    def with_config_file(parser: argparse.ArgumentParser, arguments: list[str]) -> list[str]:
        given.extend(arguments)
        raise UsageError("far enough")

    monkeypatch.setenv("FUNCTIONARY_API_KEY", KEY)
    monkeypatch.setattr(
        launch, "add_flags", lambda parser: parser.add_argument("--api-key", "--admin-api-key")
    )
    monkeypatch.setattr(launch, "with_config_file", with_config_file)
    assert main(["serve", "--port", "0", "--api-key", KEY]) == 2
    assert given
    assert not any(KEY in argument for argument in given)


@pytest.mark.parametrize(
    ("address", "warned"),
    [
        ("127.0.0.1", False),
        ("127.9.9.9", False),
        ("::1", False),
        ("::ffff:127.0.0.1", False),
        ("0.0.0.0", True),
        ("::", True),
        ("10.0.0.1", True),
        ("fe80::1%eth0", True),
    ],
)
def test_who_can_be_reached_without_a_key_is_warned(address: str, warned: bool) -> None:
    options = serve._parser().parse_args(["--host", "h", "--port", "7"])
    told = keys.warnings(options, (), address)
    assert bool(told) == warned
    assert all("anyone who can reach h port 7 can use" in line for line in told)
    assert keys.warnings(options, ("k",), address) == []


def test_a_key_that_all_can_see_is_warned_of() -> None:
    options = serve._parser().parse_args(["--api-key", "k"])
    (told,) = keys.warnings(options, ("k",), "0.0.0.0")
    assert "--api-key is visible in the process list" in told


def test_warnings_are_a_line_each_at_the_start(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    given: list[tuple[str, ...]] = []

    def run(model: object, options: argparse.Namespace, listener: object) -> int:
        given.append(options.api_keys)
        return 0

    monkeypatch.setattr(serve, "run", run)
    (tmp_path / "script.json").write_text('{"replies": []}')
    argv = ["serve", "--engine", "scripted", "--script", str(tmp_path / "script.json")]
    argv += ["--port", "0"]
    for more, variable, told in [
        ([], None, ""),
        (["--host", "0.0.0.0"], None, "anyone who can reach 0.0.0.0 port 0"),
        (["--host", "0.0.0.0"], KEY, ""),
        (["--api-key", KEY], None, "visible in the process list"),
    ]:
        if variable is not None:
            monkeypatch.setenv("FUNCTIONARY_API_KEY", variable)
        assert main(argv + more) == 0
        err = capsys.readouterr().err
        assert told in err
        assert KEY not in err
        assert err.count("\n") == bool(told)
    assert given == [(), (), (KEY,), (KEY,)]


@pytest.mark.parametrize("level", ["trace", "debug"])
def test_no_log_and_no_child_process_has_a_key(tmp_path: Path, level: str) -> None:
    """Whatever is asked, and at all levels."""
    other = "sk-of-the-file-of-keys"
    (tmp_path / "keys").write_text(other)
    turn = {"match": "", "turn": 'f\n{"a": "text"}'}
    (tmp_path / "script.json").write_text(json.dumps({"replies": [turn]}))
    script = ["--engine", "scripted", "--script", str(tmp_path / "script.json")]
    flags = ["--port", "0", "--log-level", level, "--api-key-file", str(tmp_path / "keys")]
    server = subprocess.Popen(
        [sys.executable, str(ROOT / "server_sglang.py"), *script, *flags, "--host", "0.0.0.0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=os.environ | {"FUNCTIONARY_API_KEY": f"{KEY}\n", "PYTHONASYNCIODEBUG": "1"},
        text=True,
    )
    assert server.stdout is not None
    lines = []
    try:
        while not lines or not lines[-1].startswith("address"):
            lines.append(server.stdout.readline())
            assert lines[-1]
        url = lines[-1].split()[-1].replace("0.0.0.0", "127.0.0.1")
        tool = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
        body = {"model": "functionary-nano", "messages": [{"role": "user", "content": "Hi"}]}
        statuses = []
        for key in (KEY, other, "wrong"):
            headers = {"authorization": f"Bearer {key}"}
            asked = body | {"tools": [tool]}
            answer = httpx.post(f"{url}/chat/completions", json=asked, headers=headers, timeout=30)
            statuses.append(answer.status_code)
        assert statuses == [200, 200, 401]
        children = psutil.Process(server.pid).children(recursive=True)
        assert children  # the sandbox, which tried the schema
        assert not any("FUNCTIONARY_API_KEY" in child.environ() for child in children)
    finally:
        server.send_signal(signal.SIGTERM)
        rest, _ = server.communicate(timeout=60)
    printed = "".join(lines) + rest
    assert "401" in printed  # what was asked is told
    assert KEY not in printed
    assert other not in printed
    assert "anyone who can reach" not in printed

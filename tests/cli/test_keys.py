"""Where keys come from, and who sees them."""

import argparse
import asyncio
import re
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import openai
import psutil
import pytest

from functionary_sgl.api.keys import Key, Keyring, Limits
from functionary_sgl.cli import flags, key_file, keys, main, serve
from functionary_sgl.cli.rereading import Rereading
from functionary_sgl.engines.sglang import launch
from functionary_sgl.errors import UsageError
from functionary_sgl.prompt import checkpoint
from tests.cli.process import Process
from tests.paths import ROOT

KEY = "sk-correct-horse-battery"


def read(*argv: str, variable: str | None = None, admin: str | None = None) -> list[Key]:
    parser = flags.Parser()
    keys.add_flags(parser)
    return keys.Source.of(parser.parse_args(argv), keys.Variables(variable, admin)).read()


def refusal(*argv: str, variable: str | None = None, admin: str | None = None) -> str:
    with pytest.raises(UsageError) as caught:
        read(*argv, variable=variable, admin=admin)
    return str(caught.value)


def plain(*texts: str) -> list[Key]:
    """Keys of which nothing is said."""
    return [Key.of(text) for text in texts]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "keys"


def test_without_any_there_are_none() -> None:
    assert read() == []


@pytest.mark.parametrize("text", ["k", " k", "k\n", "\tk \r\n"])
def test_white_space_around_a_key_is_not_of_it(file: Path, text: str) -> None:
    file.write_text(text, newline="")
    assert read(f"--api-key={text}") == read(variable=text) == plain("k")
    assert read("--api-key-file", str(file)) == plain("k")
    (admin,) = read(f"--admin-api-key={text}")
    assert [admin] == read(admin=text) == [replace(*plain("k"), name="admin", is_admin=True)]


@pytest.mark.parametrize("text", ["", " ", "\n", "\t \r\n"])
def test_a_blank_one_is_refused(file: Path, text: str) -> None:
    assert "--api-key is blank" in refusal(f"--api-key={text}")
    assert "FUNCTIONARY_API_KEY is blank" in refusal(variable=text)
    assert "FUNCTIONARY_API_KEY is blank" in refusal("--api-key=k", variable=text)
    assert "--api-key is blank" in refusal("--api-key=k", f"--api-key={text}")
    assert "--admin-api-key is blank" in refusal(f"--admin-api-key={text}")
    assert "FUNCTIONARY_ADMIN_API_KEY is blank" in refusal(admin=text)
    file.write_text(text)
    assert f"{file} has no key" in refusal("--api-key-file", str(file))


@pytest.mark.parametrize("text", ["a\nb", "a\rb", "a\0b", "a\x1bb", "a\x7fb", "a\tb"])
def test_what_no_header_can_have_is_refused_and_not_shown(file: Path, text: str) -> None:
    told = [refusal(f"--api-key={text}"), refusal(variable=text), refusal(admin=text)]
    if text not in ("a\nb", "a\rb", "a\tb"):  # which are two lines of a file, or two words
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
    lines = ["\ufeff# for the team", "one", "", "  two \r", "#three", "\tséparé#4", "one", "c=="]
    file.write_text("\n".join(lines), encoding="utf-8")
    found = plain("one", "two", "séparé#4", "c==")
    assert read("--api-key-file", str(file)) == found
    assert read("--api-key-file", str(file), variable="four") == [*found, *plain("four")]
    assert read("--api-key-file", str(file), variable="two") == found


def test_and_what_it_is_called_and_may(file: Path) -> None:
    file.write_text(
        "a name=alice max-parallel-requests=4\t max-requests-per-minute=60\n"
        "b max-requests-per-minute=none name=B.o_b-2\n"
        "c admin=yes\n"
    )
    flags = "--key-max-parallel-requests=8", "--key-max-requests-per-minute=100000"
    alice, bob, ops, flag = read("--api-key-file", str(file), "--api-key=d", *flags)
    assert alice == replace(*plain("a"), name="alice", limits=Limits(4, 60))
    assert bob == replace(*plain("b"), name="B.o_b-2", limits=Limits(8, None))
    assert ops == replace(*plain("c"), is_admin=True, limits=Limits(8, 100_000))
    assert flag == replace(*plain("d"), limits=Limits(8, 100_000))


def test_the_example_of_the_docs_is_one(file: Path) -> None:
    document = (ROOT / "docs" / "keys.md").read_text()
    (example,) = re.findall(r"^```text\n(.*?)^```", document, re.MULTILINE | re.DOTALL)
    file.write_text(example)
    shop, batch, ops, other = read("--api-key-file", str(file), "--key-max-parallel-requests=1")
    assert [shop.name, batch.name, ops.name] == ["shop", "batch", "ops"]
    assert (shop.limits, batch.limits, ops.limits) == (Limits(8, 600), Limits(1), Limits(1))
    assert [key.is_admin for key in (shop, batch, ops, other)] == [False, False, True, False]
    for setting in key_file.SETTINGS:
        assert re.search(rf"^\| `{setting}(=yes)?` \|", document, re.MULTILINE)


def test_a_key_without_a_name_has_one_that_does_not_tell_it() -> None:
    (one, other) = read(f"--api-key={KEY}", f"--api-key={KEY}2")
    assert re.fullmatch("key-[0-9a-f]{8}", one.name)
    assert one.name != other.name
    assert [one] == read(variable=KEY)  # today and tomorrow
    assert KEY not in repr(one)
    # Nor is it the beginning of a digest that anything else shows, or hangs on.
    assert one.name.removeprefix("key-") not in one.digest.hex()


def test_what_a_file_says_of_a_key_goes_before_all_else(file: Path) -> None:
    file.write_text("a name=alice")
    (alice,) = read("--api-key-file", str(file), "--api-key=a")
    assert alice.name == "alice"


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (f"{KEY} alice", "line 2 has something behind its key that is none of name="),
        (f"alice {KEY}", "line 2 has something behind its key that is none of name="),
        (f"alice {KEY}=", "line 2 has something behind its key that is none of name="),
        (f"name=alice {KEY}", "line 2 has something behind its key that is none of name="),
        (f"{KEY} # Alice's", "line 2 has something behind its key that is none of name="),
        (f"{KEY} Name=alice", "line 2 has something behind its key that is none of name="),
        (f"{KEY} name=a name=b", "line 2 has name= twice"),
        (f"{KEY} name=", "line 2 has a name= that"),
        (f"{KEY} name=ålice", "line 2 has a name= that"),
        (f"{KEY} name=a=b", "line 2 has a name= that"),
        (f"{KEY} name={'a' * 65}", "line 2 has a name= that"),
        (f"{KEY} admin=no", "line 2 has an admin= that is not admin=yes"),
        (f"{KEY} max-parallel-requests=0", "max-parallel-requests= that is no whole number from 1"),
        (f"{KEY} max-parallel-requests=", "max-parallel-requests= that is no whole number from 1"),
        (f"{KEY} max-requests-per-minute=1.5", "max-requests-per-minute= that is no whole number"),
        (f"{KEY} max-requests-per-minute=100001", "from 1 to 100000, nor none"),
        (f"{KEY} max-requests-per-minute={'9' * 5000}", "from 1 to 100000, nor none"),
        ("ok name=b", "line 2 has a key again, with other settings"),
        (f"{KEY} name=ok", "two API keys have the name ok"),
    ],
)
def test_a_line_that_is_not_clear_is_refused_and_not_shown(
    file: Path, line: str, told: str
) -> None:
    file.write_text(f"ok name=ok\n{line}\n", encoding="utf-8")
    refused = refusal("--api-key-file", str(file))
    assert told in refused
    assert KEY not in refused


def test_the_admin_key_is_no_other_clients(file: Path) -> None:
    file.write_text(f"{KEY} name=alice\n")
    for refused in (
        refusal("--api-key-file", str(file), admin=KEY),
        refusal("--api-key", KEY, "--admin-api-key", KEY),
        refusal(variable=KEY, admin=KEY),
    ):
        assert "the admin key is an API key too" in refused
        assert KEY not in refused
    file.write_text("a name=admin\n")
    assert "two API keys have the name admin" in refusal("--api-key-file", str(file), admin=KEY)
    file.write_text(f"{KEY} name=ops admin=yes\n")
    assert len(read("--api-key-file", str(file), admin=KEY)) == 1


def test_the_command_line_goes_before_the_environment() -> None:
    assert read("--api-key", "a", variable="b") == plain("a")
    assert read("--api-key", "a", "--api-key", "c", variable="b") == plain("a", "c")
    assert read("--admin-api-key", "a", admin="b") == read(admin="a")


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


def test_the_environment_has_them_no_longer() -> None:
    environment = {"FUNCTIONARY_API_KEY": KEY, "FUNCTIONARY_PORT": "1"}
    environment["FUNCTIONARY_ADMIN_API_KEY"] = "root"
    assert keys.Variables.taken(environment) == keys.Variables(KEY, "root")
    assert environment == {"FUNCTIONARY_PORT": "1"}
    assert keys.Variables.taken(environment) == keys.Variables()


def test_a_beginning_of_their_names_is_no_setting() -> None:
    """A key would be taken, and stay where every other process sees it."""
    parser = flags.Parser()
    keys.add_flags(parser)
    for name in ("FUNCTIONARY_ADMIN", "FUNCTIONARY_API_KE", "FUNCTIONARY_API_KEY"):
        assert flags.from_environment(parser, {name: KEY}) == []


def test_mistakes_are_one_line_that_does_not_have_the_key(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for argv, variable, told in [
        (["--api-key", ""], None, "--api-key is blank"),
        ([], " ", "FUNCTIONARY_API_KEY is blank"),
        ([f"--api-kee={KEY}", "--engine", "scripted"], None, "unknown flag --api-kee "),
        ([f"--api-k={KEY}"], None, "ambiguous option: --api-k could match"),
        (["--api-key", KEY, "--no-auth"], None, "--no-auth lets everyone in"),
        (["--no-auth"], KEY, "--no-auth lets everyone in"),
        (["--key-max-parallel-requests", "0"], None, "'0' is not a whole number from 1 to"),
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
        ("admin_api_key", "FUNCTIONARY_ADMIN_API_KEY"),
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
    monkeypatch.setenv("FUNCTIONARY_ADMIN_API_KEY", f"{KEY}-admin")
    assert main(["serve", "--port", "0", "--api-key", KEY]) == 2
    assert given
    assert not any(KEY in argument for argument in given)


@pytest.mark.parametrize(
    ("address", "refused"),
    [
        ("127.0.0.1", False),
        ("127.9.9.9", False),
        ("::1", False),
        ("::ffff:127.0.0.1", False),
        ("0.0.0.0", True),
        ("::", True),
        ("10.0.0.1", True),
        ("::ffff:10.0.0.1", True),
        ("fe80::1%eth0", True),
    ],
)
def test_who_can_be_reached_needs_a_key_or_to_say_that_there_is_none(
    address: str, refused: bool
) -> None:
    options = serve._parser().parse_args(["--host", "h", "--port", "7"])
    if refused:
        with pytest.raises(UsageError) as told:
            keys.check(options, [], address)
        assert "anyone who can reach h port 7 could use this server" in str(told.value)
        assert "FUNCTIONARY_API_KEY" in str(told.value)
        assert "--no-auth" in str(told.value)
    else:
        keys.check(options, [], address)
    keys.check(options, plain("k"), address)
    keys.check(serve._parser().parse_args(["--no-auth"]), [], address)


def test_limits_of_keys_without_any_are_a_mistake() -> None:
    for flag in ("--key-max-parallel-requests", "--key-max-requests-per-minute"):
        options = serve._parser().parse_args([flag, "1"])
        with pytest.raises(UsageError, match="limits of keys need keys"):
            keys.check(options, [], "127.0.0.1")
        keys.check(options, plain("k"), "127.0.0.1")


def test_keys_that_all_can_see_are_warned_of() -> None:
    options = serve._parser().parse_args(["--api-key", "k", "--admin-api-key", "a"])
    key, admin = keys.warnings(options)
    assert "--api-key is visible in the process list" in key
    assert "--admin-api-key is visible in the process list" in admin


@pytest.mark.parametrize(
    ("flags", "variable", "code", "told"),
    [
        ([], None, 0, ""),
        (["--host", "0.0.0.0"], None, 2, "anyone who can reach 0.0.0.0 port 0"),
        (["--host", "::"], None, 2, "anyone who can reach :: port 0"),
        (["--host", "0.0.0.0", "--no-auth"], None, 0, ""),
        (["--host", "0.0.0.0"], KEY, 0, ""),
        (["--host", "localhost"], None, 0, ""),
        (["--api-key", KEY], None, 0, "visible in the process list"),
    ],
)
def test_what_is_wrong_with_keys_is_a_line_at_the_start(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    flags: list[str],
    variable: str | None,
    code: int,
    told: str,
) -> None:
    served: list[int] = []

    def run(model: object, options: object, _: object, rereading: Rereading, *__: object) -> int:
        served.append(len(rereading.keyring))
        return 0

    monkeypatch.setattr(serve, "run", run)
    (tmp_path / "script.json").write_text('{"replies": []}')
    argv = ["serve", "--engine", "scripted", "--script", str(tmp_path / "script.json")]
    if variable is not None:
        monkeypatch.setenv("FUNCTIONARY_API_KEY", variable)
    assert main([*argv, "--port", "0", *flags]) == code
    err = capsys.readouterr().err
    assert told in err
    assert KEY not in err
    assert err.count("\n") == bool(told)
    assert served == ([] if code else [int(KEY in flags or variable is not None)])


def status(server: Process, key: str) -> int:
    return httpx.get(f"{server.url}/v1/models", headers={"x-api-key": key}).status_code


HELLO = {"replies": [{"match": "", "turn": "all\nHello!"}]}
SLOW = {"replies": [{"match": "", "turn": "all\nHello, how are you?", "delay": 0.2}]}
ASK = {"model": "functionary-nano", "messages": [{"role": "user", "content": "Hi"}]}


def test_a_hangup_has_the_file_read_again(start: Any, file: Path) -> None:
    file.write_text("sk-old name=old\nsk-both name=both\n")
    server = start(SLOW, "--api-key-file", str(file), "--api-key", "sk-flag")
    ask = f"{server.url}/v1/chat/completions"
    asked, headers = ASK | {"stream": True}, {"x-api-key": "sk-old"}
    with httpx.stream("POST", ask, json=asked, headers=headers, timeout=20) as answer:
        lines = answer.iter_lines()
        next(lines)
        file.write_text("sk-new name=new\nsk-both name=both max-requests-per-minute=1\n")
        server.process.send_signal(signal.SIGHUP)
        server.says("3 API keys, read again from")
        found = {key: status(server, f"sk-{key}") for key in ("old", "both", "new", "flag")}
        assert found == {"old": 401, "both": 200, "new": 200, "flag": 200}
        rest = list(lines)  # of an answer to whose key is none any more
    assert "data: [DONE]" in rest
    with openai.OpenAI(base_url=f"{server.url}/v1", api_key="sk-both", max_retries=0) as client:
        client.chat.completions.create(**ASK)  # type: ignore[call-overload]
        with pytest.raises(openai.RateLimitError):
            client.chat.completions.create(**ASK)  # type: ignore[call-overload]
        # What it has used is not forgotten.
        server.process.send_signal(signal.SIGHUP)
        server.says("keys\nfunctionary-sgl: 3 API keys, read again from")
        with pytest.raises(openai.RateLimitError):
            client.chat.completions.create(**ASK)  # type: ignore[call-overload]
    server.process.send_signal(signal.SIGTERM)
    code, log = server.ended()
    assert code == 0
    assert "sk-" not in log


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "cannot be read: No such file"),
        ("", "has no key"),
        ("sk-new\nsk-newer Alice\n", "line 2 has something behind its key"),
        (b"sk-\xff", "is not UTF-8 text"),
    ],
)
def test_a_file_that_cannot_be_used_then_leaves_the_keys_as_they_were(
    start: Any, file: Path, content: str | bytes | None, told: str
) -> None:
    file.write_text("sk-old")
    server = start(HELLO, "--api-key-file", str(file))
    if content is None:
        file.unlink()
    else:
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
    server.process.send_signal(signal.SIGHUP)
    server.says(f"functionary-sgl: the API keys stay as they were: {file}")
    assert told in server.log
    assert "sk-" not in server.log
    assert (status(server, "sk-old"), status(server, "sk-new")) == (200, 401)
    file.write_text("sk-new")
    server.process.send_signal(signal.SIGHUP)
    server.says("1 API keys, read again")
    assert (status(server, "sk-old"), status(server, "sk-new")) == (401, 200)


def test_a_hangup_ends_a_server_that_has_no_file_to_read(start: Any) -> None:
    """As a terminal does that is closed."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)  # a server under nohup ignores it
    try:
        server = start(HELLO)
    finally:
        signal.signal(signal.SIGHUP, before)
    server.process.send_signal(signal.SIGHUP)
    assert server.ended()[0] == -signal.SIGHUP


def test_a_hangup_before_it_serves_is_made_up_for(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_text("old")
    before = signal.getsignal(signal.SIGHUP)
    parser = flags.Parser()
    keys.add_flags(parser)
    source = keys.Source.of(parser.parse_args(["--api-key-file", str(file)]), keys.Variables())
    try:
        rereading = Rereading(source, Keyring(source.read()))
        file.write_text("new")
        signal.raise_signal(signal.SIGHUP)

        async def served() -> None:
            rereading.start()
            await asyncio.gather(*rereading._running)

        asyncio.run(served())
    finally:
        signal.signal(signal.SIGHUP, before)
    assert rereading.keyring.caller(b"old") is None
    assert rereading.keyring.caller(b"new") is not None
    assert "read again" in capsys.readouterr().err


@pytest.mark.parametrize("level", ["trace", "debug"])
def test_no_log_and_no_child_process_has_a_key(start: Any, file: Path, level: str) -> None:
    """Whatever is asked, and at all levels."""
    other, admin = "sk-of-the-file-of-keys", "sk-of-the-administrator"
    file.write_text(other)
    server = start(
        {"replies": [{"match": "", "turn": 'f\n{"a": "text"}'}]},
        *("--host", "0.0.0.0", "--log-level", level, "--api-key-file", str(file)),
        *("--request-log", "on"),
        FUNCTIONARY_API_KEY=f"{KEY}\n",
        FUNCTIONARY_ADMIN_API_KEY=admin,
        PYTHONASYNCIODEBUG="1",
    )
    url = server.url.replace("0.0.0.0", "127.0.0.1")
    tool = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
    asked = ASK | {"tools": [tool]}
    for key, status in ((KEY, 200), (other, 200), (admin, 200), ("sk-wrong", 401)):
        for headers in ({"authorization": f"Bearer {key}"}, {"x-api-key": key}):
            answer = httpx.post(
                f"{url}/v1/chat/completions", json=asked, headers=headers, timeout=30
            )
            assert answer.status_code == status
    children = psutil.Process(server.process.pid).children(recursive=True)
    assert children  # the sandbox, which tried the schema
    for child in children:
        assert not {"FUNCTIONARY_API_KEY", "FUNCTIONARY_ADMIN_API_KEY"} & child.environ().keys()
    server.process.send_signal(signal.SIGTERM)
    _, log = server.ended()
    printed = "".join(server.banner) + log + server.rest
    assert "401" in printed  # what was asked is told
    for key in (KEY, other, admin, "sk-wrong"):
        assert key not in printed

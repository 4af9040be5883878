"""Nothing can be had from within a trial: by all walls together, and by each for what it is for."""

import errno
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from functionary_sgl import sandbox as module
from functionary_sgl.sandbox import Sandbox, Trial, walls
from tests.sandbox import intrusions
from tests.sandbox.conftest import AGES, PLAIN, SPIN, child, pid

TRUE = "/bin/true"

OF_CALLS = "no_new_privileges,few_calls"


@pytest.fixture
def arguments(tmp_path: Path) -> Iterator[dict[str, str]]:
    """What there is to be had: for each intrusion its argument."""
    name = f"@{tmp_path}"
    with (
        socket.create_server(("127.0.0.1", 0)) as tcp,
        socket.socket(socket.AF_UNIX) as at_path,
        socket.socket(socket.AF_UNIX) as abstract,
    ):
        at_path.bind(str(tmp_path / "socket"))
        abstract.bind(name.replace("@", "\0"))
        for server in (at_path, abstract):
            server.listen()
        yield {
            "read": "/etc/passwd",
            "write": str(tmp_path / "written"),
            "connect": str(tcp.getsockname()[1]),
            "unix": str(tmp_path / "socket"),
            "unix of a name": name,
            "execute": TRUE,
            "signal": str(os.getpid()),
            "chroot": "/",
        }


def outcome(names: str, intrusion: str, arguments: dict[str, str]) -> str:
    """What `intrusion` (its first word) comes to behind the walls `names`, between commas."""
    directory, file = str(Path(walls.__file__).parent), intrusions.__file__
    command = [sys.executable, "-I", "-S", file, directory, names]
    command += [intrusion.split()[0], arguments.get(intrusion, "")]
    told = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return told.stdout.strip()


@pytest.mark.parametrize(
    "intrusion",
    ["read", "write", "connect", "unix", "unix of a name", "signal", "fork", "dump", "gain"],
)
def test_without_walls_it_can_be_had(intrusion: str, arguments: dict[str, str]) -> None:
    assert outcome("", intrusion, arguments) == "0"


@pytest.mark.parametrize(
    ("names", "intrusion", "number"),
    [
        ("no_new_privileges", "gain", errno.EPERM),
        ("not_dumpable", "dump", errno.EPERM),
        ("no_capabilities", "chroot", errno.EPERM),
        ("namespaces", "connect", errno.ENETUNREACH),
        ("namespaces", "unix of a name", errno.ECONNREFUSED),
        ("namespaces,no_capabilities", "chroot", errno.EPERM),
        ("no_new_privileges,no_paths", "read", errno.EACCES),
        ("no_new_privileges,no_paths", "write", errno.EACCES),
        ("no_new_privileges,no_paths", "execute", errno.EACCES),
        ("no_new_privileges,no_tcp", "connect", errno.EACCES),
        ("no_new_privileges,no_others", "unix of a name", errno.EPERM),
        ("no_new_privileges,no_others", "signal", errno.EPERM),
        ("no_descriptors", "read", errno.EMFILE),
        ("no_descriptors", "connect", errno.EMFILE),
        ("no_descriptors", "unix", errno.EMFILE),
        ("no_bytes", "write", errno.EFBIG),
        pytest.param(
            *("no_processes", "fork", errno.EAGAIN),
            marks=pytest.mark.skipif(os.getuid() == 0, reason="root is exempt"),
        ),
        *((OF_CALLS, name, errno.EPERM) for name in ("read", "write", "connect", "unix")),
        *((OF_CALLS, name, errno.EPERM) for name in ("execute", "signal", "fork", "chroot")),
    ],
)
def test_a_wall_alone(names: str, intrusion: str, number: int, arguments: dict[str, str]) -> None:
    told = outcome(names, intrusion, arguments)
    if not told.isdecimal():
        pytest.skip(f"the kernel does not allow {told}")
    assert errno.errorcode.get(int(told)) == errno.errorcode[number]


def test_all_walls(
    sandbox: Sandbox, arguments: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    tried = [*arguments, "fork", "environment"]
    trials = [(name.split()[0], arguments.get(name, "")) for name in tried]
    faults = sandbox.run([Trial(*trial) for trial in trials], 1)  # type: ignore[arg-type]
    assert len(faults) == len(tried)
    had = [name for name, fault in zip(tried, faults, strict=True) if not kept(fault)]
    assert not had
    assert not Path(arguments["write"]).exists()


def kept(fault: str | None) -> bool:
    """Whether a trial could not have what it tried to have."""
    return fault is not None and fault.startswith("[Errno ")


def test_the_server_and_the_parent_of_a_trial(sandbox: Sandbox) -> None:
    sandbox.start()
    first = pid(sandbox)
    environments = [f"/proc/{one}/environ" for one in (os.getpid(), os.getppid(), first)]
    trials = [Trial("read", path) for path in environments]  # type: ignore[arg-type]
    trials += [Trial("signal", str(first))]  # type: ignore[arg-type]
    faults = sandbox.run(trials, 1)
    assert list(map(kept, faults)) == [True] * 4
    assert sandbox.run(PLAIN, 1) == [None]
    assert pid(sandbox) == first


def test_what_a_trial_has_open(sandbox: Sandbox) -> None:
    sandbox.start()
    with ThreadPoolExecutor() as executor:
        future = executor.submit(sandbox.run, SPIN, AGES)
        its_child = child(lambda: pid(sandbox))
        try:
            files = {name: os.readlink(f"/proc/{its_child}/fd/{name}") for name in "012"}
            names = os.listdir(f"/proc/{its_child}/fd")
            place = os.readlink(f"/proc/{its_child}/cwd")
        except PermissionError:
            pytest.skip("only root may look: it is not dumpable")
        finally:
            os.kill(its_child, signal.SIGPROF)
        assert future.result() == []
    assert sorted(names) == ["0", "1", "2"]
    assert files["0"] == files["2"] == os.devnull
    assert files["1"].startswith("pipe:")
    assert place == "/"


def test_what_the_kernel_says_of_a_trial(sandbox: Sandbox) -> None:
    standing = sandbox.walls()
    with ThreadPoolExecutor() as executor:
        future = executor.submit(sandbox.run, SPIN, AGES)
        its_child = child(lambda: pid(sandbox))
        lines = Path(f"/proc/{its_child}/status").read_text().splitlines()
        os.kill(its_child, signal.SIGPROF)
        assert future.result() == []
    told = dict(line.split(":\t", 1) for line in lines)
    if standing["no new privileges"]:
        assert told["NoNewPrivs"] == "1"
    if standing["seccomp"]:
        assert told["Seccomp"] == "2"
    if standing["no capabilities"]:
        assert {told[kind].strip("0") for kind in ("CapPrm", "CapEff", "CapInh", "CapAmb")} == {""}


def test_which_walls_stand_is_told(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    with caplog.at_level("INFO", logger=module.__name__):
        standing = sandbox.walls()
    assert standing.keys() == {*walls.AROUND_WORKER, *walls.AROUND_TRIAL}
    assert {"no new privileges", "no descriptors"} <= {name for name in standing if standing[name]}
    assert "no new privileges" in caplog.text


def test_what_a_kernel_refuses_is_passed_over() -> None:
    def refused() -> None:
        raise PermissionError(errno.EPERM, "no")

    def allowed() -> None:
        pass

    assert walls.put_up({"a": refused, "b": allowed}) == {"a": False, "b": True}

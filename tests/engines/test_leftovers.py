"""Files in shared memory do not outlive the server that has them, whatever ends it."""

import os
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path

import pytest

from tests.paths import ROOT

SERVER = """
import mmap, os, signal, sys
from functionary_sgl.engines.sglang.leftovers import Leftovers

shared, socket = sys.argv[1:]
kept = []
for name in (shared, shared + "-other"):
    file = os.open(name, os.O_RDWR | os.O_CREAT)
    os.truncate(file, 4096)
    kept.append(mmap.mmap(file, 4096))
open(socket, "w").close()
leftovers = Leftovers([socket])
leftovers.note()
print("ready", flush=True)
sys.stdin.readline()
leftovers.remove()
print("removed", flush=True)
sys.stdin.readline()
"""


@pytest.mark.parametrize("number", [None, signal.SIGKILL, signal.SIGABRT])
def test_they_are_removed(tmp_path: Path, number: int | None) -> None:
    shared, socket = Path(f"/dev/shm/psm_{uuid.uuid4().hex}"), tmp_path / "socket"
    strange = Path("/dev/shm") / f"elses_{uuid.uuid4().hex}"
    strange.touch()
    command = [sys.executable, "-c", SERVER, str(shared), str(socket)]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    pipe = subprocess.PIPE
    try:
        with subprocess.Popen(command, stdin=pipe, stdout=pipe, env=environment) as server:
            assert server.stdin is not None
            assert server.stdout is not None
            assert server.stdout.readline() == b"ready\n"
            assert shared.exists()
            assert socket.exists()
            if number is None:
                server.stdin.write(b"\n")
                server.stdin.flush()
                assert server.stdout.readline() == b"removed\n"
                assert not shared.exists()
                shared.touch()  # somebody else's, who has the name now
                server.stdin.write(b"\n")
            else:
                server.send_signal(number)
        end = time.monotonic() + 10
        while socket.exists() or (number is not None and shared.exists()):
            assert time.monotonic() < end
            time.sleep(0.01)
        if number is None:
            time.sleep(0.3)  # for whoever waited for the server's end
            assert shared.exists()
        assert strange.exists()
    finally:
        for file in (shared, Path(f"{shared}-other"), strange):
            file.unlink(missing_ok=True)


CHILD = """
import mmap, os, sys
file = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT)
os.truncate(file, 4096)
kept = mmap.mmap(file, 4096)
print("ready", flush=True)
sys.stdin.readline()
"""

PARENT = """
import subprocess, sys
from functionary_sgl.engines.sglang.leftovers import Leftovers

child = subprocess.Popen([sys.executable, "-c", sys.argv[1], sys.argv[2]], stdin=-1, stdout=-1)
child.stdout.readline()
leftovers = Leftovers([])
leftovers.note()
child.kill()
child.wait()
leftovers.note()
leftovers.remove()
"""


def test_those_of_a_process_that_died_before_are_removed_too() -> None:
    shared = Path(f"/dev/shm/psm_{uuid.uuid4().hex}")
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", PARENT, CHILD, str(shared)]
    try:
        subprocess.run(command, env=environment, check=True)
        assert not shared.exists()
    finally:
        shared.unlink(missing_ok=True)

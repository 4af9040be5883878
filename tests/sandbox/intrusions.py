"""What one who has taken over a process would do, each by name and with an argument.

Each raises OSError where it is kept from it. Run as a file, this puts up the walls of a name and
then does one:

    python intrusions.py DIRECTORY_OF_WALLS WALL,WALL INTRUSION ARGUMENT

It prints the number of the error, 0 if there was none, or why a wall could not be put up.
"""

import ctypes
import errno
import os
import socket
import sys

PR_GET_DUMPABLE = 3
PR_GET_NO_NEW_PRIVS = 39


def read(path: str) -> None:
    with open(path, "rb") as file:
        file.read(1)


def write(path: str) -> None:
    with open(path, "wb") as file:
        file.write(b"x")


def connect(port: str) -> None:
    with socket.socket() as opened:
        opened.connect(("127.0.0.1", int(port)))


def unix(path: str) -> None:
    """`path` begins with @ where it is an abstract name."""
    with socket.socket(socket.AF_UNIX) as opened:
        opened.connect(path.replace("@", "\0"))


def execute(path: str) -> None:
    os.execv(path, [path])


def signal(pid: str) -> None:
    os.kill(int(pid), 0)


def fork(_: str) -> None:
    if not (child := os.fork()):
        os._exit(0)
    os.waitpid(child, 0)


def chroot(path: str) -> None:
    os.chroot(path)


def dump(_: str) -> None:
    if not ctypes.CDLL(None).prctl(PR_GET_DUMPABLE, 0, 0, 0, 0):
        raise PermissionError(errno.EPERM, "")


def gain(_: str) -> None:
    if ctypes.CDLL(None).prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0):
        raise PermissionError(errno.EPERM, "")


def environment(_: str) -> None:
    seen = os.environ.keys() - {"LC_CTYPE"}  # Python sets it itself
    if not seen:
        raise FileNotFoundError(errno.ENOENT, "")


INTRUSIONS = {
    function.__name__: function
    for function in (read, write, connect, unix, execute, signal, fork, chroot, dump, gain)
}
INTRUSIONS["environment"] = environment


def main() -> None:
    directory, names, intrusion, argument = sys.argv[1:]
    sys.path.insert(0, directory)
    import walls

    try:
        for name in filter(None, names.split(",")):
            getattr(walls, name)()
    except OSError as error:
        print(f"{name}: {error}")
        return
    try:
        INTRUSIONS[intrusion](argument)
    except OSError as error:
        os.write(1, b"%d" % (error.errno or -1))
    else:
        os.write(1, b"0")


if __name__ == "__main__":
    main()

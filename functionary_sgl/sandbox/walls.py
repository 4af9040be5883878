"""What the process of a sandbox gives up, so that whoever takes it over by a schema has nothing.

A wall is a function that puts it up around the calling process and all that it will fork, for good.
None needs root. Each is best effort: what a kernel does not have or does not allow raises OSError,
and the others stand nevertheless. Imports nothing of the package (worker.py).

The system calls are made here, since nothing that is kept up wraps them without a library of C that
the system would have to bring: pyseccomp needs libseccomp.so, and is of 2021.
"""

import ctypes
import os
import resource
import struct
from collections.abc import Callable, Mapping

PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
PR_SET_NO_NEW_PRIVS = 38

CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWNET = 0x40000000

CAPABILITY_VERSION_3 = 0x20080522

# The same everywhere: landlock(7).
LANDLOCK_CREATE_RULESET = 444
LANDLOCK_RESTRICT_SELF = 446
LANDLOCK_CREATE_RULESET_VERSION = 1

SECCOMP_SET_MODE_FILTER = 1
SECCOMP_FILTER_FLAG_SPEC_ALLOW = 4  # older kernels would make the whole process slower
SECCOMP_RET_ERRNO = 0x00050000
SECCOMP_RET_ALLOW = 0x7FFF0000
EPERM = 1

# linux/audit.h, the number of seccomp itself, and of what a trial needs: memory, locks, the seeds
# of hash tables, to write its answer, to end. It is a list of what is allowed because the other
# would have to know each way around (io_uring, the calls of 32 bits, what kernels will add).
# Any other call fails as one that is not permitted; libraries know how to go on without.
CALLS = {
    "x86_64": (
        0xC000003E,
        317,
        {"write": 1, "mmap": 9, "mprotect": 10, "munmap": 11, "brk": 12, "rt_sigprocmask": 14}
        | {"rt_sigreturn": 15, "sched_yield": 24, "mremap": 25, "madvise": 28, "exit": 60}
        | {"futex": 202, "sched_getaffinity": 204, "restart_syscall": 219, "clock_gettime": 228}
        | {"exit_group": 231, "getrandom": 318},
    ),
    "aarch64": (
        0xC00000B7,
        277,
        {"write": 64, "mmap": 222, "mprotect": 226, "munmap": 215, "brk": 214}
        | {"rt_sigprocmask": 135, "rt_sigreturn": 139, "sched_yield": 124, "mremap": 216}
        | {"madvise": 233, "exit": 93, "futex": 98, "sched_getaffinity": 123}
        | {"restart_syscall": 128, "clock_gettime": 113, "exit_group": 94, "getrandom": 278},
    ),
}

_libc = ctypes.CDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long


def _call(name: str, *arguments: int) -> int:
    result = int(getattr(_libc, name)(*map(ctypes.c_ulong, arguments)))
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def _address(data: bytes) -> int:
    """Of `data`, for as long as the caller keeps it."""
    return ctypes.cast(ctypes.c_char_p(data), ctypes.c_void_p).value or 0


def die_with_parent(signal: int) -> None:
    """Get `signal` when the thread ends that forked this process. No wall, and not handed on."""
    _libc.prctl(PR_SET_PDEATHSIG, signal)


def no_new_privileges() -> None:
    """No program that it executes has more rights than it."""
    _call("prctl", PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)


def not_dumpable() -> None:
    """No other process of the same user sees its memory, and no core does."""
    _call("prctl", PR_SET_DUMPABLE, 0, 0, 0, 0)


def namespaces() -> None:
    """A network without interfaces, and System V's IPC without anybody else."""
    try:
        _call("unshare", CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWIPC)
    except OSError:
        _call("unshare", CLONE_NEWNET | CLONE_NEWIPC)  # root may, where others may not


def no_capabilities() -> None:
    """Nothing of what makes root root; nor what one has in a user namespace of one's own."""
    header, data = struct.pack("Ii", CAPABILITY_VERSION_3, 0), bytes(24)
    _call("capset", _address(header), _address(data))


def no_paths() -> None:
    """Landlock: nothing at any path can be opened, made, renamed or executed."""
    version = _landlock_version()
    rights = {1: 13, 2: 14, 3: 15, 4: 15}.get(version, 16)
    _landlock(struct.pack("Q", (1 << rights) - 1))


def no_tcp() -> None:
    """Landlock: TCP is neither bound nor connected."""
    _landlock(struct.pack("QQ", 0, 0b11))


def no_others() -> None:
    """Landlock: no signals to processes outside, and none of their abstract sockets."""
    _landlock(struct.pack("QQQ", 0, 0, 0b11))


def _landlock_version() -> int:
    return _call("syscall", LANDLOCK_CREATE_RULESET, 0, 0, LANDLOCK_CREATE_RULESET_VERSION)


def _landlock(handled: bytes) -> None:
    """Allow nothing of what is `handled`: a kernel that does not know all of it refuses."""
    ruleset = _call("syscall", LANDLOCK_CREATE_RULESET, _address(handled), len(handled), 0)
    try:
        _call("syscall", LANDLOCK_RESTRICT_SELF, ruleset, 0)
    finally:
        os.close(ruleset)


def no_descriptors() -> None:
    """No file, socket or pipe is opened besides those that are open."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))


def no_bytes() -> None:
    """No file grows."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def no_processes() -> None:
    """No process or thread is made; root is exempt."""
    resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))


def few_calls() -> None:
    """seccomp: of all system calls, those of CALLS. Needs no_new_privileges."""
    if os.uname().machine not in CALLS:
        raise OSError("The calls of this machine are not known.")
    architecture, seccomp, allowed = CALLS[os.uname().machine]
    lines = _filter(architecture, tuple(allowed.values()))
    program = struct.pack("@HP", len(lines) // 8, _address(lines))  # struct sock_fprog
    flags = SECCOMP_FILTER_FLAG_SPEC_ALLOW
    _call("syscall", seccomp, SECCOMP_SET_MODE_FILTER, flags, _address(program))


def _filter(architecture: int, allowed: tuple[int, ...]) -> bytes:
    """In BPF, over struct seccomp_data: the call's number is at 0, the architecture at 4."""
    load, equal, give = 0x20, 0x15, 0x06
    lines = [(load, 0, 0, 4), (equal, 0, len(allowed) + 1, architecture), (load, 0, 0, 0)]
    lines += [(equal, len(allowed) - place, 0, call) for place, call in enumerate(allowed)]
    lines += [(give, 0, 0, SECCOMP_RET_ERRNO | EPERM), (give, 0, 0, SECCOMP_RET_ALLOW)]
    return b"".join(struct.pack("HBBI", *line) for line in lines)


AROUND_WORKER: Mapping[str, Callable[[], None]] = {
    "no new privileges": no_new_privileges,
    "namespaces": namespaces,
    "Landlock for paths": no_paths,
    "Landlock for TCP": no_tcp,
    "Landlock for signals and sockets": no_others,
    "no capabilities": no_capabilities,
    "not dumpable": not_dumpable,
}
"""In this order, by a process that will fork and needs no more than what it has open."""

AROUND_TRIAL: Mapping[str, Callable[[], None]] = {
    "no descriptors": no_descriptors,
    "no bytes in files": no_bytes,
    "no processes": no_processes,
    "seccomp": few_calls,
}
"""In this order, by a process that computes and writes its answer."""


def put_up(walls: Mapping[str, Callable[[], None]]) -> dict[str, bool]:
    """Put up `walls`; for each whether it stands."""
    stands = {}
    for name, wall in walls.items():
        try:
            wall()
        except (OSError, ValueError):  # setrlimit raises both
            stands[name] = False
        else:
            stands[name] = True
    return stands

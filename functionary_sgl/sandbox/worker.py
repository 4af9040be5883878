"""The process of a sandbox; run as a file, so it imports nothing of this package but its siblings.

Its arguments are the directories where libraries are. It puts up walls, reads a line of JSON, the
tokenizer, and answers with one: which walls stand. Then for each line it forks a child, which tries
what the line asks for; when the child is gone, a line says what it found and how it ended. The
child writes into a pipe of its own: it cannot answer for a child that comes later.
"""

import json
import os
import random
import resource
import signal
import sys
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

sys.path.extend(sys.argv[1:])

import jsonschema_rs
from llguidance import LLMatcher, LLParserLimits, LLTokenizer

if TYPE_CHECKING:
    from functionary_sgl.sandbox import limits, walls
else:
    import limits
    import walls

MEMORY = 512 * 1024 * 1024
"""What a child may take besides what it begins with, in bytes of address space."""

STACK = 4 * 1024 * 1024
"""Half of what a thread of the engine has: what passes here does not overflow there."""

STEPS = 12
"""How many tokens of a grammar are tried: some fail only when they are used."""

ANSWERS = 64 * 1024 * 1024
"""How many bytes a child may write."""

FAULT_CHARS = 200

NICENESS = 10
"""What is tried for one client waits for what computes for all. No verdict depends on it: time is
the processor's."""

FORMAT = jsonschema_rs.ValidationErrorKind.Format

FILES = 64
"""More descriptors than it ever has."""


class Files(NamedTuple):
    """What cannot be opened behind the walls: the null device, and the worker's own statm."""

    null: int
    statm: int


def main() -> None:
    os.nice(NICENESS)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the server
    walls.die_with_parent(signal.SIGKILL)  # stopped or not; the end of a pipe must be read
    files = Files(os.open(os.devnull, os.O_RDWR), os.open("/proc/self/statm", os.O_RDONLY))
    stands = walls.put_up(walls.AROUND_WORKER)
    told, _ = forked(lambda: answer(walls.put_up(walls.AROUND_TRIAL)), files)
    stands |= json.loads(told)
    definition, vocabulary_size, end_ids = json.loads(sys.stdin.buffer.readline())
    tokenizer = LLTokenizer(definition, n_vocab=vocabulary_size, eos_token=end_ids)
    del definition
    answer({"walls": stands})
    for line in sys.stdin.buffer:
        pages = int(os.pread(files.statm, 64, 0).split()[0])
        told, status = forked(partial(attempt, line, tokenizer, pages), files)
        os.write(1, b"[[%s],%d]\n" % (b",".join(told.split(b"\n")[:-1]), status))


def answer(message: object) -> None:
    os.write(1, json.dumps(message).encode() + b"\n")


def forked(work: Callable[[], None], files: Files) -> tuple[bytes, int]:
    """What a child writes that does `work`, and its exit status, or minus the signal that killed
    it."""
    worker = os.getpid()
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        try:
            walls.die_with_parent(signal.SIGKILL)
            if os.getppid() == worker:
                for file, copy in ((files.null, 0), (writer, 1), (files.null, 2)):
                    os.dup2(file, copy)  # an allocation that fails says so on stderr
                os.closerange(3, FILES)
                work()
                os._exit(0)
        except MemoryError:
            os.abort()
        finally:
            os._exit(1)
    os.close(writer)
    told = b""
    while part := os.read(reader, 1 << 16):
        told += part
        if len(told) > ANSWERS:
            os.kill(child, signal.SIGKILL)
            break
    os.close(reader)
    _, status = os.waitpid(child, 0)
    return told, os.waitstatus_to_exitcode(status)


def attempt(line: bytes, tokenizer: Any, pages: int) -> None:
    """Try what `line` asks for, in a child of a process with so many `pages`."""
    seconds, trials = json.loads(line)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_STACK, (STACK, resource.RLIM_INFINITY))
    memory = pages * resource.getpagesize() + MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    signal.setitimer(signal.ITIMER_PROF, seconds)  # kills
    walls.put_up(walls.AROUND_TRIAL)
    for kind, source, instance in trials:
        answer(fault_of(kind, source, instance, tokenizer))


def fault_of(kind: str, source: str, instance: str, tokenizer: Any) -> str | None:
    try:
        error = TRIALS[kind](tokenizer, source, instance)
    except BaseException as raised:  # llguidance and jsonschema_rs raise what panics as that
        error = (str(raised) or type(raised).__name__).splitlines()[0]
    return None if error is None else error[:FAULT_CHARS]


def regex(tokenizer: Any, source: str, _: str) -> str | None:
    return fault_in(tokenizer, LLMatcher.grammar_from_regex(source))


def lark(tokenizer: Any, source: str, _: str) -> str | None:
    return fault_in(tokenizer, LLMatcher.grammar_from_lark(source))


def fault_in(tokenizer: Any, grammar: str) -> str | None:
    """What is wrong with `grammar`, or goes wrong when some tokens are drawn."""
    work = LLParserLimits(**limits.TRIAL, verbose_errors=False)
    matcher = LLMatcher(tokenizer, grammar, log_level=0, limits=work)
    dice = random.Random(0)  # always the same tokens
    for _ in range(STEPS):
        if matcher.is_stopped():
            break
        mask = matcher.compute_bitmask()
        byte = dice.choice([place for place, bits in enumerate(mask) if bits] or [0])
        bit = dice.choice([bit for bit in range(8) if mask[byte] >> bit & 1] or [0])
        matcher.consume_token(byte * 8 + bit)
    return reason(matcher) if matcher.is_error() else None


def reason(matcher: Any) -> str:
    """The line of an error of llguidance that says what is wrong."""
    lines = [line for line in str(matcher.get_error()).splitlines() if line.strip()]
    told = [line.removeprefix("error: ") for line in lines if line.startswith("error: ")]
    return (told or lines or ["it fails at once"])[0]


def schema(_: Any, source: str, __: str) -> str | None:
    try:
        validator_of(source)
    except jsonschema_rs.ValidationError as error:
        if not isinstance(error.kind, FORMAT) or error.kind.format != "regex":
            raise
    return None


def validator(_: Any, source: str, __: str) -> str | None:
    validator_of(source)
    return None


def valid(_: Any, source: str, instance: str) -> str | None:
    error = next(validator_of(source).iter_errors(json.loads(instance)), None)
    return None if error is None else str(error.message)


def validator_of(source: str) -> Any:
    return jsonschema_rs.Draft202012Validator(
        json.loads(source), validate_formats=True, offline=True
    )


TRIALS: dict[str, Callable[[Any, str, str], str | None]] = {
    "regex": regex,
    "lark": lark,
    "schema": schema,
    "validator": validator,
    "valid": valid,
}


if __name__ == "__main__":
    main()

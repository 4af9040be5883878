"""Waits for the server's end, and removes what it left; run as a file, so it imports nothing of
this package.

Each line of its input is a list of files, in JSON; the last one counts, when no more can come.
"""

import contextlib
import json
import os
import signal
import sys


def main() -> None:
    if os.fork():
        os._exit(0)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # as long as the server lives, somebody has to wait
    files: list[str] = []
    for line in sys.stdin.buffer:
        files = json.loads(line)
    for file in files:
        with contextlib.suppress(OSError):
            os.unlink(file)


if __name__ == "__main__":
    main()

"""The supervisor's last will: kills the process groups it is told of when its standard input ends.

``tether`` ends a program with its supervisor, but not the programs that one started in turn (the pool of a worker). This process
outlives the supervisor by a moment, even by SIGKILL, and ends whole groups. It begins with the groups of its command line, so that a
supervisor that dies right after starting it leaves nothing behind, and reads lines: ``+PGID`` take over, ``-PGID`` forget.
Run as a file with nothing but the standard library.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterable


def watch(lines: Iterable[str], known: Iterable[int] = ()) -> set[int]:
    """Follow the lines to their end and return the groups that are still to be killed; ``known`` are there from the start."""
    groups = set(known)
    for line in lines:
        number = int(line[1:])
        if line.startswith("+"):
            groups.add(number)
        else:
            groups.discard(number)
    return groups


def main() -> None:
    # Ctrl-C and a service manager's TERM are for the supervisor; this one leaves when the pipe closes.
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, signal.SIG_IGN)
    for group in watch(sys.stdin, map(int, sys.argv[1:])):
        try:
            os.killpg(group, signal.SIGKILL)
        except ProcessLookupError:
            continue  # The whole group is gone already, which is what was wanted.


if __name__ == "__main__":
    main()

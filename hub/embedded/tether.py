"""Run a command that dies with its parent: ``python -I tether.py PARENT_PID [--user UID:GID] COMMAND…``.

A process killed with SIGKILL cannot stop its children. On Linux the kernel can (prctl(2), PR_SET_PDEATHSIG); elsewhere the
command simply runs. Started as a file and importing almost nothing, it costs a few milliseconds, then becomes the
command: same process id, same streams.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def die_with_parent(parent: int) -> None:
    """Ask the kernel to kill this process when its parent is gone. Exits at once if that has already happened."""
    if sys.platform != "linux":
        return
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) failed")
    if os.getppid() != parent:
        raise SystemExit(1)


def become(user: str) -> None:
    """Give up root for ``UID:GID``; servers such as PostgreSQL refuse to run as root."""
    uid, gid = (int(part) for part in user.split(":"))
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)


def main(arguments: list[str]) -> None:
    parent, *command = arguments
    if command[0] == "--user":
        become(command[1])
        command = command[2:]
    # After giving up root: a change of user clears the wish.
    die_with_parent(int(parent))
    # The caller's shell or interpreter may have left these ignored, and ignored signals survive exec.
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGPIPE):
        signal.signal(name, signal.SIG_DFL)
    try:
        os.execvp(command[0], command)  # noqa: S606 - becoming the command is the purpose
    except OSError as error:
        sys.stderr.write(f"{command[0]}: {error.strerror}\n")
        raise SystemExit(127) from error


if __name__ == "__main__":
    main(sys.argv[1:])

"""The web process: granian on HUB_HOST:HUB_PORT. ``python -m hub.web.serve`` is what ``hub web`` becomes.

SIGTERM and SIGINT end it gracefully: no new connections, requests under way are finished. One worker process: on one machine
the database is the limit, and larger places run the service several times.
"""

from __future__ import annotations

from granian.constants import Interfaces
from granian.log import LogLevels
from granian.server import Server

from hub.logs import configure_logging
from hub.settings import Settings

THREADS = 1
BACKLOG = 1024
UNDER_WAY = 200
"""Requests handled at once; the next ones wait in the backlog instead of in memory."""
KILL_SECONDS = 25
"""How long requests under way may take after SIGTERM."""
GRANIAN_LOGS = {"handlers": {}, "formatters": {}, "loggers": {"_granian": {"handlers": [], "propagate": True}}}
"""The server's own lines go where ours go, in our form."""


def serve(settings: Settings) -> None:
    """Serve until a signal comes. The worker reads its settings from the same environment."""
    configure_logging(settings.log_level, as_json=settings.log_json)
    Server(
        "hub.web.asgi:app",
        factory=True,
        address=settings.host,
        port=settings.port,
        interface=Interfaces.ASGI,
        workers=1,
        runtime_threads=THREADS,
        backlog=BACKLOG,
        backpressure=UNDER_WAY,
        websockets=False,
        # Our own lines say who asked for what, with the request's id.
        log_access=False,
        log_level=LogLevels.warning,
        log_dictconfig=GRANIAN_LOGS,
        workers_kill_timeout=KILL_SECONDS,
        # A worker that cannot start ends the process, and whoever supervises it sees that.
        respawn_failed_workers=False,
    ).serve()


if __name__ == "__main__":
    serve(Settings())

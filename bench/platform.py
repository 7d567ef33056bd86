"""The platform that both sides post to: takes a post, answers an id. Run as a process so that its work is nobody else's."""

from __future__ import annotations

import argparse
import sys
import threading
import time

from channels.loopback import LoopbackServer, Platform, Reply, Request


class BenchPlatform(Platform):
    name = "bench"

    def __init__(self, delay: float = 0.0) -> None:
        super().__init__()
        self._delay = delay
        self._taken = 0
        self._last = 0.0

    def exchange(self, request: Request) -> tuple[Reply | None, None]:
        # Without the lock and the call log of its base: the platform must not be what is measured.
        if request.path == "/count":
            return Reply.json({"taken": self._taken, "last": self._last}), None
        if self._delay:
            time.sleep(self._delay)
        with self.lock:
            self._taken += 1
            self._last = time.time()
            return Reply.json({"id": f"p{self._taken}"}), None


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--delay", type=float, default=0.0, help="seconds the platform takes to answer")
    server = LoopbackServer(BenchPlatform(options.parse_args().delay))
    sys.stdout.write(f"{server.url}\n")
    sys.stdout.flush()
    # The reader of our port keeps our standard input open: when it goes, so do we.
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdin.read()


if __name__ == "__main__":
    main()

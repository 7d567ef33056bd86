"""A small strict static server for the files below ``/feeds/``, as the hub's web server must behave: strong ETag made of
the bytes, 304, and the ``.gz`` sibling for those who accept it. Every request is written down."""

from __future__ import annotations

import contextlib
import hashlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

TYPES = {
    ".rss.xml": "application/rss+xml; charset=utf-8",
    ".atom.xml": "application/atom+xml; charset=utf-8",
    ".json": "application/feed+json",
    ".opml": "text/x-opml; charset=utf-8",
    ".css": "text/css; charset=utf-8",
}


@dataclass(frozen=True)
class Seen:
    """One request: what was asked, with which validators, and what was answered."""

    path: str
    status: int
    if_none_match: str
    accept_encoding: str
    encoding: str


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: StaticServer
    timeout = 20

    def do_GET(self) -> None:
        name = self.path.removeprefix("/feeds/")
        path = self.server.folder / name
        if not self.path.startswith("/feeds/") or "/" in name or name.startswith(".") or not path.is_file():
            self._answer(404, b"", {}, "")
            return
        zipped = "gzip" in self.headers.get("Accept-Encoding", "")
        data = path.read_bytes()
        body = path.with_name(path.name + ".gz").read_bytes() if zipped else data
        # The packed form is another representation, so it has another strong validator.
        digest = hashlib.sha256(data).hexdigest()[:32]
        etag = f'"{digest}-gz"' if zipped else f'"{digest}"'
        headers = {"ETag": etag, "Cache-Control": "max-age=900", "Vary": "Accept-Encoding"}
        asked = {each.strip().removeprefix("W/") for each in self.headers.get("If-None-Match", "").split(",")}
        if etag in asked or "*" in asked:
            self._answer(304, b"", headers, "")
            return
        headers["Content-Type"] = next(kind for ending, kind in TYPES.items() if name.endswith(ending))
        self._answer(200, body, headers, "gzip" if zipped else "")

    def _answer(self, status: int, body: bytes, headers: dict[str, str], encoding: str) -> None:
        asked = self.headers
        self.server.seen.append(Seen(self.path, status, asked.get("If-None-Match", ""), asked.get("Accept-Encoding", ""), encoding))
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if encoding:
            self.send_header("Content-Encoding", encoding)
        if status != 304:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's signature
        """``seen`` is the log."""


class StaticServer(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.seen: list[Seen] = []
        super().__init__(("127.0.0.1", 0), _Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


@contextlib.contextmanager
def serving(folder: Path) -> Iterator[StaticServer]:
    """Serve ``folder`` as ``/feeds/`` for the length of the block."""
    server = StaticServer(folder)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

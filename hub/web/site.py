"""The public site's files over HTTP, as ``deploy/nginx.conf`` serves them: the embedded hub and small districts need no nginx.

Strong ETags are digests of the very bytes sent, so the packed and the plain form have different ones and a rebuilt site that
gives the same bytes keeps them. Nothing outside the folder, hidden, half-written or meant for the server itself is ever sent.
"""

from __future__ import annotations

import hashlib
import os
import stat
import threading
from collections import OrderedDict
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from io import BufferedReader
from pathlib import Path
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response, StreamingResponse
from starlette.types import Receive, Scope, Send

INDEX, GONE, MISSING = "index.html", "gone.html", "404.html"
WHOLE = 256 * 1024
"""Files up to this size are read in one piece; larger ones are sent in blocks of it."""
REMEMBERED = 50_000
"""Digests kept; each costs about 200 bytes."""
PAGE_POLICY = (
    "default-src 'none'; img-src 'self'; style-src 'self'; font-src 'self'; media-src 'self'; connect-src 'self'; manifest-src 'self'; "
    "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'self'"
)
UPLOAD_POLICY = "default-src 'none'; sandbox"
CACHING = (
    # The name holds the digest of the bytes.
    ("/assets/", "public, max-age=31536000, immutable"),
    # Its name holds a digest too, but a withdrawn attachment must not live on in caches for a year.
    ("/files/", "public, max-age=3600"),
    # As long as the feeds' own ttl says (channels/feed/README.md): readers obey both.
    ("/feeds/", "public, max-age=900"),
    ("/", "public, max-age=60"),
)
"""How long a public file may be kept, by the start of its address."""
"""What people uploaded is shown, never run, whatever it is."""
TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".txt": "text/plain; charset=utf-8",
    ".csv": "text/csv; charset=utf-8",
    ".xml": "application/xml; charset=utf-8",
    ".rss.xml": "application/rss+xml; charset=utf-8",
    ".atom.xml": "application/atom+xml; charset=utf-8",
    ".opml": "text/x-opml; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".gif": "image/gif",
    ".ico": "image/x-icon",
    ".pdf": "application/pdf",
    ".zip": "application/zip",
    ".mp3": "audio/mpeg",
    ".mp4": "video/mp4",
    ".ofd": "application/ofd",
    ".doc": "application/msword",
    ".xls": "application/vnd.ms-excel",
    ".ppt": "application/vnd.ms-powerpoint",
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
}


@dataclass(frozen=True, slots=True)
class Found:
    """An open file (the caller closes it) and what is known of it."""

    file: BufferedReader
    size: int
    modified: datetime
    etag: str
    packed: bool
    has_packed: bool


class Site:
    """An ASGI application over the folder ``root``, which may not exist yet."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._digests: OrderedDict[tuple[int, int, int, int], str] = OrderedDict()
        self._lock = threading.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope)
        if request.method not in ("GET", "HEAD"):
            response: Response = PlainTextResponse("405 该地址只可读取", 405, {"Allow": "GET, HEAD"})
        else:
            response = await run_in_threadpool(self._answer, request)
        await response(scope, receive, send)

    # ------------------------------------------------------------------------------------------------------- which file

    def _answer(self, request: Request) -> Response:
        path = request.scope["path"]
        parts = _parts(path)
        if parts is None:
            return self._page(request, MISSING, 404)
        place = self._root.joinpath(*parts)
        if path.endswith("/"):
            if parts and (place / GONE).is_file() and not (place / INDEX).is_file():
                return self._page(request, "/".join((*parts, GONE)), 410)
            return self._file(request, place / INDEX, path + INDEX)
        if place.is_dir():
            query = f"?{request.url.query}" if request.url.query else ""
            return RedirectResponse(quote(path) + "/" + query, 308)
        return self._file(request, place, path)

    def _file(self, request: Request, place: Path, path: str) -> Response:
        found = self._open(place, packed=_takes_gzip(request))
        if found is None:
            return self._page(request, MISSING, 404)
        headers = {
            "ETag": found.etag,
            "Last-Modified": format_datetime(found.modified, usegmt=True),
            "Content-Type": media_type(path),
            **_policies(path),
        }
        if found.has_packed:
            headers["Vary"] = "Accept-Encoding"
        if _unchanged(request, found):
            found.file.close()
            del headers["Content-Type"]
            return Response(None, 304, headers)
        if found.packed:
            headers["Content-Encoding"] = "gzip"
        return _sent(request, found, headers)

    def _page(self, request: Request, name: str, status: int) -> Response:
        """The page for a missing or withdrawn address. It has no ETag: it stands for no file under that address."""
        found = self._open(self._root / name, packed=_takes_gzip(request))
        headers = {**_policies("/"), "Content-Type": TYPES[".html"], "Cache-Control": "no-cache"}
        if found is None:
            return Response("<!doctype html><title>404</title><p>没有这个页面".encode(), status, headers)
        headers["Vary"] = "Accept-Encoding"
        if found.packed:
            headers["Content-Encoding"] = "gzip"
        return _sent(request, found, headers, status)

    def _open(self, place: Path, *, packed: bool) -> Found | None:
        """The file, or its ``.gz`` where that is wanted and there. None: nothing that may be sent."""
        sibling = place.with_name(place.name + ".gz")
        has_packed = sibling.is_file()
        file = _opened(self._root, sibling if packed and has_packed else place)
        if file is None:
            return None
        about = os.fstat(file.fileno())
        modified = datetime.fromtimestamp(int(about.st_mtime), UTC)
        return Found(file, about.st_size, modified, f'"{self._digest(file, about)}"', packed and has_packed, has_packed)

    def _digest(self, file: BufferedReader, about: os.stat_result) -> str:
        """SHA-256 of the open file, remembered by what changes whenever it does."""
        key = (about.st_dev, about.st_ino, about.st_mtime_ns, about.st_size)
        with self._lock:
            known = self._digests.get(key)
            if known is not None:
                self._digests.move_to_end(key)
                return known
        digest = hashlib.file_digest(file, "sha256").hexdigest()[:32]
        file.seek(0)
        with self._lock:
            self._digests[key] = digest
            while len(self._digests) > REMEMBERED:
                self._digests.popitem(last=False)
        return digest


def media_type(path: str) -> str:
    name = path.rpartition("/")[2].lower()
    if path.startswith("/feeds/") and name.endswith(".json"):
        return "application/feed+json"
    stem, _, last = name.rpartition(".")
    double = "." + stem.rpartition(".")[2] + "." + last
    return TYPES.get(double) or TYPES.get("." + last) or "application/octet-stream"


def _parts(path: str) -> tuple[str, ...] | None:
    """The steps below the root, or None for an address that never names a file of ours."""
    parts = path[1:].split("/")
    if parts[-1] == "":
        parts.pop()
    for part in parts:
        hidden = part.startswith(".") and part != ".well-known"
        if not part or hidden or part.endswith(".part") or "\\" in part or "\x00" in part or len(part.encode()) > 255:
            return None
    if parts and parts[-1] == GONE:
        return None
    return tuple(parts)


def _opened(root: Path, place: Path) -> BufferedReader | None:
    """Open a plain file that really lies below ``root``, wherever symbolic links may point."""
    try:
        real = os.path.realpath(place, strict=True)
        if os.path.commonpath((real, os.path.realpath(root))) != os.path.realpath(root):
            return None
        # O_NONBLOCK: opening a pipe somebody put there must not wait for its writer.
        handle = os.open(real, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except (OSError, ValueError):
        return None
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        return None
    return os.fdopen(handle, "rb")


def _policies(path: str) -> dict[str, str]:
    feed = path.startswith("/feeds/")
    return {
        "Cache-Control": next(value for start, value in CACHING if path.startswith(start)),
        "Content-Security-Policy": UPLOAD_POLICY if path.startswith("/files/") else PAGE_POLICY,
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "SAMEORIGIN",
        "Referrer-Policy": "strict-origin-when-cross-origin",
        "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
        **({"Access-Control-Allow-Origin": "*"} if feed else {}),
    }


def _takes_gzip(request: Request) -> bool:
    """RFC 9110 §12.5.3, as far as gzip is concerned."""
    weights: dict[str, float] = {}
    for offer in request.headers.get("accept-encoding", "").lower().split(","):
        name, _, parameters = offer.partition(";")
        quality = parameters.replace(" ", "").removeprefix("q=")
        try:
            weights[name.strip()] = float(quality) if quality else 1.0
        except ValueError:
            weights[name.strip()] = 0.0
    return weights.get("gzip", weights.get("x-gzip", weights.get("*", 0.0))) > 0


def _unchanged(request: Request, found: Found) -> bool:
    """RFC 9110 §13.2.2: with If-None-Match, the date is not even looked at."""
    told = request.headers.get("if-none-match")
    if told is not None:
        tags = {tag.strip().removeprefix("W/") for tag in told.split(",")}
        return "*" in tags or found.etag in tags
    since = request.headers.get("if-modified-since")
    if since is None:
        return False
    try:
        moment = parsedate_to_datetime(since)
    except (ValueError, TypeError):
        return False
    return found.modified <= (moment if moment.tzinfo else moment.replace(tzinfo=UTC))


def _sent(request: Request, found: Found, headers: dict[str, str], status: int = 200) -> Response:
    headers["Content-Length"] = str(found.size)
    if request.method == "HEAD":
        found.file.close()
        return Response(None, status, headers)
    if found.size <= WHOLE:
        with found.file:
            return Response(found.file.read(), status, headers)
    return StreamingResponse(_blocks(found), status, headers)


async def _blocks(found: Found) -> AsyncIterator[bytes]:
    try:
        left = found.size
        while left and (block := await run_in_threadpool(found.file.read, min(WHOLE, left))):
            left -= len(block)
            yield block
    finally:
        found.file.close()

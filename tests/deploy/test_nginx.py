"""deploy/nginx.conf on a real nginx, over real sockets. Skipped, aloud, where nginx is not installed."""

from __future__ import annotations

import gzip
import http.server
import shutil
import socket
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from tests.deploy.compose import ROOT
from tests.tools import need
from tests.waiting import wait_until

SITE = {
    "index.html": "<p>首页</p>",
    "404.html": "<p>没有找到</p>",
    "items/live/index.html": "<p>在线</p>",
    "items/gone/gone.html": "<p>已撤回</p>",
    "feeds/all.rss.xml": "<rss/>",
    "feeds/all.atom.xml": "<feed/>",
    "feeds/all.json": "{}",
    "feeds/index.opml": "<opml/>",
    "files/ab/abcd/附件.html": "<script>alert(1)</script>",
    "items/live/index.html.part": "half",
    ".secret": "no",
}


class _Hub(http.server.BaseHTTPRequestHandler):
    """Stands where the web service stands and says what reached it."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        shown = f"{self.path} {self.headers['Host']} {self.headers['X-Forwarded-For']} {self.headers['X-Forwarded-Proto']} {len(body)}"
        self.send_response(200)
        self.end_headers()
        self.wfile.write(shown.encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of the base class
        """Quiet."""


@dataclass
class Served:
    """The running nginx."""

    url: str
    site: Path

    def get(self, path: str, **headers: str) -> requests.Response:
        return requests.get(self.url + path, headers=headers, timeout=5)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    nginx = need("nginx")
    # As root, nginx gives its workers to another user, who cannot enter pytest's own folders.
    folder = Path(tempfile.mkdtemp(prefix="hub-nginx-"))
    folder.chmod(0o755)
    site = folder / "site"
    for name, text in SITE.items():
        (site / name).parent.mkdir(parents=True, exist_ok=True)
        (site / name).write_text(text, "utf-8")
        if not name.endswith(".part"):
            (site / f"{name}.gz").write_bytes(gzip.compress(text.encode(), mtime=0))
    hub = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Hub)
    threading.Thread(target=hub.serve_forever, daemon=True).start()
    port = _free_port()
    text = (ROOT / "deploy" / "nginx.conf").read_text("utf-8")
    for old, new in (
        ("/tmp/", f"{folder}/"),
        ("http://web:8000", f"http://127.0.0.1:{hub.server_port}"),
        ("listen 8080", f"listen 127.0.0.1:{port}"),
        ("root /site", f"root {site}"),
        ("access_log /dev/stdout", f"access_log {folder}/access.log"),
    ):
        assert old in text
        text = text.replace(old, new)
    config = folder / "nginx.conf"
    config.write_text(text, "utf-8")
    process = subprocess.Popen([nginx, "-c", str(config), "-g", "daemon off;"], stderr=subprocess.PIPE)
    served = Served(f"http://127.0.0.1:{port}", site)

    def answers() -> bool:
        assert process.poll() is None, process.stderr and process.stderr.read().decode()
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    wait_until(answers)
    yield served
    with process:
        process.terminate()
    hub.shutdown()
    hub.server_close()
    shutil.rmtree(folder)


def test_pages_and_their_packed_form(served: Served) -> None:
    packed, plain = served.get("/items/live/"), served.get("/items/live/", **{"Accept-Encoding": "identity"})
    assert packed.text == plain.text == SITE["items/live/index.html"]
    assert packed.headers["Content-Encoding"] == "gzip"
    assert packed.headers["Vary"] == "Accept-Encoding"
    assert packed.headers["Content-Type"] == "text/html; charset=utf-8"


def test_etags_are_strong_and_differ_per_form(served: Served) -> None:
    packed, plain = served.get("/"), served.get("/", **{"Accept-Encoding": "identity"})
    assert packed.headers["ETag"] != plain.headers["ETag"]
    assert not packed.headers["ETag"].startswith("W/")
    assert served.get("/", **{"If-None-Match": packed.headers["ETag"]}).status_code == 304


@pytest.mark.parametrize("encoding", ["gzip", "identity"])
def test_a_withdrawn_item_answers_410_with_its_notice(served: Served, encoding: str) -> None:
    answer = served.get("/items/gone/", **{"Accept-Encoding": encoding})
    assert (answer.status_code, answer.text) == (410, SITE["items/gone/gone.html"])
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    "path", ["/nothing", "/items/none/", "/items/gone/gone.html", "/.secret", "/items/live/index.html.part", "/items/../../etc/passwd"]
)
def test_what_is_not_there_answers_404_with_the_site_s_page(served: Served, path: str) -> None:
    answer = served.get(path)
    assert answer.status_code == 404
    assert "没有找到" in answer.text


@pytest.mark.parametrize(
    ("path", "media_type"),
    [
        ("/feeds/all.rss.xml", "application/rss+xml; charset=utf-8"),
        ("/feeds/all.atom.xml", "application/atom+xml; charset=utf-8"),
        ("/feeds/all.json", "application/feed+json; charset=utf-8"),
        ("/feeds/index.opml", "text/x-opml; charset=utf-8"),
    ],
)
def test_feeds_say_what_they_are(served: Served, path: str, media_type: str) -> None:
    answer = served.get(path)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == media_type
    assert answer.headers["Cache-Control"] == "public, max-age=900"
    assert answer.headers["Content-Encoding"] == "gzip"


def test_uploaded_files_cannot_run(served: Served) -> None:
    answer = served.get("/files/ab/abcd/附件.html")
    assert answer.status_code == 200
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert answer.headers["Cache-Control"] == "public, max-age=3600", "a withdrawn attachment must not live on in caches"


@pytest.mark.parametrize("path", ["/", "/nothing", "/items/gone/", "/feeds/all.json"])
def test_every_answer_has_the_security_headers(served: Served, path: str) -> None:
    headers = served.get(path).headers
    assert {"Content-Security-Policy", "X-Content-Type-Options", "X-Frame-Options", "Referrer-Policy", "Permissions-Policy"} <= set(headers)
    assert headers["Server"] == "nginx"


@pytest.mark.parametrize("path", ["/", "/items/live/", "/feeds/all.rss.xml"])
def test_the_site_is_only_read(served: Served, path: str) -> None:
    assert requests.post(served.url + path, data=b"x", timeout=5).status_code == 403


@pytest.mark.parametrize("path", ["/api/v1/items?x=1", "/callbacks/wechat?signature=s"])
def test_the_hub_gets_the_caller_s_address_and_not_what_the_caller_claims(served: Served, path: str) -> None:
    claimed = {"X-Forwarded-For": "192.0.2.9", "X-Forwarded-Proto": "https", "Host": "www.example.gov.cn"}
    answer = requests.post(served.url + path, data=b"four", headers=claimed, timeout=5)
    assert answer.text == f"{path} www.example.gov.cn 127.0.0.1 https 4"
    assert answer.headers["Cache-Control"] == "no-store"


def test_an_attachment_of_many_megabytes_passes(served: Served) -> None:
    answer = requests.post(f"{served.url}/api/v1/files", data=b"x" * 5_000_000, timeout=20)
    assert answer.text.endswith(" 5000000")
    assert requests.post(f"{served.url}/callbacks/wechat", data=b"x" * 2_000_000, timeout=20).status_code == 413


def test_its_health_is_asked_without_noise(served: Served) -> None:
    assert served.get("/nginx-health").text == "ok\n"
    assert "nginx-health" not in (served.site.parent / "access.log").read_text()

"""The public site over HTTP: validators, packed siblings, types, 404, 410, and nothing that is not the site."""

from __future__ import annotations

import gzip
import http.client
import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests
from fastapi import FastAPI

from channels.files import write_atomically
from hub.web.site import Site
from tests.web.server import serving

PAGE = "<!doctype html><title>首页</title>" + "<p>公开</p>" * 200
PLAIN = {"Accept-Encoding": "identity"}


@pytest.fixture
def site(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    root = tmp_path / "site"
    for path, text in {
        "index.html": PAGE,
        "404.html": "<p>没有这个页面</p>",
        "items/live/index.html": "<p>稿件</p>",
        "items/gone/gone.html": "<p>已撤回</p>",
        "feeds/all.rss.xml": "<rss/>",
        "feeds/all.atom.xml": "<feed/>",
        "feeds/all.json": "{}",
        "feeds/index.opml": "<opml/>",
        "sitemap.xml": "<urlset/>",
        "robots.txt": "User-agent: *",
    }.items():
        write_atomically(root / path, text.encode())
    write_atomically(root / "files" / "ab" / "附件 一.pdf", b"%PDF-" + b"0" * 700_000, gzip=False)
    (tmp_path / "secret.txt").write_text("secret")
    (root / ".hidden").write_text("hidden")
    (root / "half.html.part").write_text("half")
    (root / "outside.txt").symlink_to(tmp_path / "secret.txt")
    os.mkfifo(root / "pipe.txt")
    app = FastAPI(openapi_url=None)
    app.router.default = Site(root)
    with serving(app) as base:
        yield base, root


def raw(base: str, path: str, method: str = "GET") -> tuple[int, bytes, dict[str, str]]:
    """Without a client that tidies the address."""
    connection = http.client.HTTPConnection(urlsplit(base).netloc, timeout=10)
    try:
        connection.request(method, path)
        answer = connection.getresponse()
        return answer.status, answer.read(), dict(answer.getheaders())
    finally:
        connection.close()


def get(base: str, path: str, **headers: str) -> requests.Response:
    return requests.get(
        base + path, headers={**PLAIN, **{k.replace("_", "-"): v for k, v in headers.items()}}, timeout=10, allow_redirects=False
    )


def test_packed_and_plain_have_their_own_strong_etags(site: tuple[str, Path]) -> None:
    base, root = site
    plain = get(base, "/")
    packed = get(base, "/", Accept_Encoding="br, gzip;q=0.5")
    assert plain.text == packed.text == PAGE
    assert packed.headers["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in plain.headers
    assert int(packed.headers["Content-Length"]) == (root / "index.html.gz").stat().st_size < len(PAGE.encode())
    assert plain.headers["ETag"] != packed.headers["ETag"]
    assert not plain.headers["ETag"].startswith("W/")
    assert plain.headers["Vary"] == packed.headers["Vary"] == "Accept-Encoding"
    assert get(base, "/", Accept_Encoding="gzip;q=0").text == PAGE
    assert "Content-Encoding" not in get(base, "/", Accept_Encoding="gzip;q=0").headers


def test_unchanged(site: tuple[str, Path]) -> None:
    base, root = site
    for encoding in ("identity", "gzip"):
        first = get(base, "/", Accept_Encoding=encoding)
        again = get(base, "/", Accept_Encoding=encoding, If_None_Match=f'W/"x", {first.headers["ETag"]}')
        assert (again.status_code, again.content) == (304, b"")
        for name in ("ETag", "Last-Modified", "Cache-Control", "Vary", "Content-Security-Policy"):
            assert again.headers[name] == first.headers[name]
    first = get(base, "/")
    since = first.headers["Last-Modified"]
    assert get(base, "/", If_Modified_Since=since).status_code == 304
    # The ETag decides alone when it is there.
    assert get(base, "/", If_Modified_Since=since, If_None_Match='"other"').status_code == 200
    assert get(base, "/", If_Modified_Since="yesterday").status_code == 200
    assert get(base, "/", If_None_Match="*").status_code == 304
    write_atomically(root / "index.html", (PAGE + "!").encode())
    changed = get(base, "/", If_None_Match=first.headers["ETag"])
    assert (changed.status_code, changed.text) == (200, PAGE + "!")
    # The same bytes written anew, as a rebuild does, keep their ETag.
    write_atomically(root / "index.html", PAGE.encode())
    assert get(base, "/").headers["ETag"] == first.headers["ETag"]


def test_same_size_and_time_with_other_bytes_is_noticed(site: tuple[str, Path]) -> None:
    base, root = site
    page = root / "robots.txt"
    before = get(base, "/robots.txt")
    about = page.stat()
    write_atomically(page, b"user-AGENT: *")
    os.utime(page, ns=(about.st_atime_ns, about.st_mtime_ns))
    after = get(base, "/robots.txt")
    assert after.text == "user-AGENT: *"
    assert after.headers["ETag"] != before.headers["ETag"]


@pytest.mark.parametrize(
    ("path", "kind", "cache"),
    [
        ("/", "text/html; charset=utf-8", "public, max-age=60"),
        ("/feeds/all.rss.xml", "application/rss+xml; charset=utf-8", "public, max-age=900"),
        ("/feeds/all.atom.xml", "application/atom+xml; charset=utf-8", "public, max-age=900"),
        ("/feeds/all.json", "application/feed+json", "public, max-age=900"),
        ("/feeds/index.opml", "text/x-opml; charset=utf-8", "public, max-age=900"),
        ("/sitemap.xml", "application/xml; charset=utf-8", "public, max-age=60"),
        ("/files/ab/%E9%99%84%E4%BB%B6%20%E4%B8%80.pdf", "application/pdf", "public, max-age=3600"),
    ],
)
def test_types_and_headers(site: tuple[str, Path], path: str, kind: str, cache: str) -> None:
    base, _ = site
    answer = get(base, path)
    assert (answer.status_code, answer.headers["Content-Type"], answer.headers["Cache-Control"]) == (200, kind, cache)
    assert answer.headers.get("Access-Control-Allow-Origin") == ("*" if path.startswith("/feeds/") else None)
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "unsafe-inline" not in answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    head = requests.head(base + path, headers=PLAIN, timeout=10)
    assert (head.status_code, head.content) == (200, b"")
    for name in ("Content-Length", "ETag", "Content-Type"):
        assert head.headers[name] == answer.headers[name]
    if path.endswith(".pdf"):
        assert len(answer.content) == 700_005
        assert "sandbox" in answer.headers["Content-Security-Policy"]


def test_folders_and_missing_pages(site: tuple[str, Path]) -> None:
    base, root = site
    moved = get(base, "/items/live?x=1")
    assert (moved.status_code, moved.headers["Location"]) == (308, "/items/live/?x=1")
    assert get(base, "/items/live/").text == "<p>稿件</p>"
    missing = get(base, "/items/nothing/")
    assert (missing.status_code, missing.text) == (404, "<p>没有这个页面</p>")
    assert "ETag" not in missing.headers
    (root / "404.html").unlink()
    (root / "404.html.gz").unlink()
    assert get(base, "/nothing").status_code == 404
    assert requests.post(base + "/", timeout=10).status_code == 405
    assert raw(base, "//evil.example/items/live")[0] == 404


def test_a_withdrawn_item_answers_410_with_its_notice(site: tuple[str, Path]) -> None:
    base, _ = site
    gone = get(base, "/items/gone/")
    assert (gone.status_code, gone.text) == (410, "<p>已撤回</p>")
    packed = get(base, "/items/gone/", Accept_Encoding="gzip", If_None_Match="*")
    assert (packed.status_code, packed.text, packed.headers["Content-Encoding"]) == (410, "<p>已撤回</p>", "gzip")
    assert get(base, "/items/gone/gone.html").status_code == 404
    assert get(base, "/items/gone").status_code == 308


@pytest.mark.parametrize(
    "path",
    [
        "/../secret.txt",
        "/..%2fsecret.txt",
        "/%2e%2e/secret.txt",
        "/items/..%2f..%2fsecret.txt",
        "/items/%2e%2e/%2e%2e/secret.txt",
        "/..%5csecret.txt",
        "/%252e%252e/secret.txt",
        "/outside.txt",
        "/.hidden",
        "/half.html.part",
        "/pipe.txt",
        "/index.html%00.txt",
        "//etc/passwd",
        "/etc/passwd",
        "/" + "a" * 300,
        "/items/live/index.html/",
        "/robots.txt/x",
    ],
)
def test_nothing_outside_the_site(site: tuple[str, Path], path: str) -> None:
    base, _ = site
    status, body, _ = raw(base, path)
    assert status in (400, 404), body
    assert b"secret" not in body
    assert b"hidden" not in body


def test_a_packed_sibling_is_what_it_says(site: tuple[str, Path]) -> None:
    base, root = site
    assert gzip.decompress((root / "index.html.gz").read_bytes()).decode() == PAGE
    (root / "index.html.gz").unlink()
    answer = get(base, "/", Accept_Encoding="gzip")
    assert answer.text == PAGE
    assert "Vary" not in answer.headers

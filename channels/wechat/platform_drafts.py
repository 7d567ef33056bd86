"""Media and drafts of the loopback platform, as strict as the contract (wechat.md §2, §3)."""

from __future__ import annotations

import re
import secrets
from typing import Any
from urllib.parse import urlsplit

from channels.loopback import Request
from channels.wechat.platform_state import Desk, Refusal

MEGABYTE = 1_048_576
_MAGIC = {b"\xff\xd8\xff": "jpg", b"\x89PNG\r\n\x1a\n": "png", b"GIF8": "gif", b"BM": "bmp"}
_TYPES = {"jpg": "image/jpeg", "png": "image/png", "gif": "image/gif", "bmp": "image/bmp"}
_IMAGE = re.compile(r"<img\b[^>]*>", re.IGNORECASE)
_SOURCE = re.compile(r"""\bsrc\s*=\s*["']([^"']*)["']""", re.IGNORECASE)
_LINK = re.compile(r"""<a\b[^>]*\bhref\s*=\s*["']([^"']*)["']""", re.IGNORECASE)
_REMOVED = re.compile(r"<(script|style|iframe|form|object)\b.*?</\1\s*>|\son\w+\s*=\s*(\"[^\"]*\"|'[^']*')", re.IGNORECASE | re.DOTALL)


def upload_image(desk: Desk, request: Request) -> dict[str, Any]:
    suffix, data = _file(request, ("jpg", "png"), MEGABYTE)
    name = f"{secrets.token_hex(16)}.{suffix}"
    desk.store.put("image", name, {"type": _TYPES[suffix]}, desk.clock(), data)
    return {"url": f"{desk.base}/mmbiz/{name}", "errcode": 0, "errmsg": "ok"}


def add_material(desk: Desk, request: Request) -> dict[str, Any]:
    kind = request.query.get("type", "")
    if kind == "image":
        suffix, data = _file(request, ("bmp", "png", "jpg", "gif"), 10 * MEGABYTE)
    elif kind == "thumb":
        suffix, data = _file(request, ("jpg",), 64 * 1024, too_large=40006)
    else:
        raise Refusal(40004, "invalid media type")
    media_id = secrets.token_urlsafe(32)
    desk.store.put("material", media_id, {"type": _TYPES[suffix]}, desk.clock(), data)
    return {"media_id": media_id, "url": f"{desk.base}/material/{media_id}", "item": []}


def _file(request: Request, allowed: tuple[str, ...], most: int, too_large: int = 40009) -> tuple[str, bytes]:
    head = request.body.partition(b"\r\n\r\n")[0]
    if b"filename*=" in head or not head.isascii():
        # The real servers read no name but an ASCII one (no RFC 2231) and then find no file at all.
        raise Refusal(41005, "media data missing")
    part = request.parts().get("media")
    if part is None or not part.filename:
        raise Refusal(41005, "media data missing")
    if not part.body:
        raise Refusal(44001, "empty media data")
    named = part.filename.rpartition(".")[2].lower().replace("jpeg", "jpg")
    if named not in allowed:
        raise Refusal(40005, "invalid file type")
    found = next((suffix for magic, suffix in _MAGIC.items() if part.body.startswith(magic)), "")
    if found not in allowed:
        raise Refusal(40137, "invalid image format")
    if len(part.body) >= most:
        raise Refusal(too_large, "invalid image size")
    return found, part.body


def draft_add(desk: Desk, asked: dict[str, Any]) -> dict[str, Any]:
    articles = asked.get("articles")
    if not isinstance(articles, list):
        raise Refusal(47001, "data format error")
    if not 1 <= len(articles) <= 8:
        raise Refusal(45008, "article size out of limit")
    news = [_checked(desk, article) for article in articles]
    media_id = secrets.token_urlsafe(48)
    now = desk.clock()
    desk.store.put("draft", media_id, {"news": news, "created": now}, now)
    return {"media_id": media_id, "item": []}


def draft_update(desk: Desk, asked: dict[str, Any]) -> dict[str, Any]:
    draft = _draft(desk, asked)
    index, article = asked.get("index", 0), asked.get("articles")
    if not isinstance(article, dict):
        raise Refusal(47001, "data format error")
    if not isinstance(index, int) or not 0 <= index < len(draft["news"]):
        raise Refusal(40114, "invalid article idx")
    draft["news"][index] = _checked(desk, article)
    desk.store.put("draft", asked["media_id"], draft, desk.clock())
    return {"errcode": 0, "errmsg": "ok"}


def draft_get(desk: Desk, asked: dict[str, Any]) -> dict[str, Any]:
    draft = _draft(desk, asked)
    return {"news_item": [_shown(desk, n) for n in draft["news"]], "create_time": int(draft["created"])}


def draft_delete(desk: Desk, asked: dict[str, Any]) -> dict[str, Any]:
    _draft(desk, asked)
    desk.store.drop("draft", asked["media_id"])
    return {"errcode": 0, "errmsg": "ok"}


def draft_count(desk: Desk) -> dict[str, Any]:
    return {"total_count": desk.store.count("draft")}


def listing(desk: Desk, asked: dict[str, Any], kind: str, key: str) -> dict[str, Any]:
    """``batchget`` of drafts and of free publications."""
    offset, count = asked.get("offset"), asked.get("count")
    if not isinstance(offset, int) or not isinstance(count, int) or not 1 <= count <= 20 or offset < 0:
        raise Refusal(40097, "invalid args")
    rows = desk.store.newest(kind, count, offset)
    items = []
    for thing_id, body, at in rows:
        news = [_shown(desk, n, body) for n in body["news"]]
        if asked.get("no_content"):
            news = [{k: v for k, v in n.items() if k != "content"} for n in news]
        times = {"create_time": int(body.get("created", at)), "update_time": int(at)}
        items.append({key: thing_id, "content": {"news_item": news, **times}, "update_time": int(at)})
    return {"total_count": desk.store.count(kind), "item_count": len(items), "item": items}


def _draft(desk: Desk, asked: dict[str, Any]) -> dict[str, Any]:
    draft = desk.store.get("draft", str(asked.get("media_id", "")))
    if draft is None:
        raise Refusal(40007, "invalid media_id")
    return draft


def _shown(desk: Desk, news: dict[str, Any], body: dict[str, Any] | None = None) -> dict[str, Any]:
    gone = bool(body and body.get("status", 0))
    return {"url": f"{desk.base}/s/preview", "show_cover_pic": 0, **news, "is_deleted": gone}


def _checked(desk: Desk, article: Any) -> dict[str, Any]:
    """The article as it is stored. Foreign pictures and scripts vanish without a word, as on the real platform."""
    knobs = desk.knobs
    if not isinstance(article, dict):
        raise Refusal(47001, "data format error")
    title, author = str(article.get("title", "")), str(article.get("author", ""))
    digest, content = str(article.get("digest", "")), str(article.get("content", ""))
    address = str(article.get("content_source_url", ""))
    if not content:
        raise Refusal(44003, "empty news data")
    for wrong, code, words in (
        (not title or len(title) > knobs.title_limit, 45003, "title size out of limit"),
        (len(author) > knobs.author_limit, 45110, "author size out of limit"),
        (len(digest) > knobs.digest_limit, 45004, "description size out of limit"),
        (len(content) >= knobs.content_limit or len(content.encode()) >= MEGABYTE, 45002, "content size out of limit"),
        (len(address.encode()) > 1024 or (address and urlsplit(address).scheme not in ("http", "https")), 41039, "invalid source url"),
        (desk.store.get("material", str(article.get("thumb_media_id", ""))) is None, 40007, "invalid thumb_media_id"),
        (any(article.get(flag, 0) not in (0, 1) for flag in ("need_open_comment", "only_fans_can_comment")), 88000, "no comment right"),
        (any(urlsplit(href).netloc != "mp.weixin.qq.com" for href in _LINK.findall(content)), 45166, "content not allowed"),
    ):
        if wrong:
            raise Refusal(code, words)
    content = _IMAGE.sub(lambda tag: tag[0] if _is_ours(desk, tag[0]) else "", _REMOVED.sub("", content))
    return {
        "article_type": "news",
        "title": title,
        "author": author,
        "digest": digest or re.sub(r"<[^>]*>", "", content)[:54],
        "content": content,
        "content_source_url": address,
        "thumb_media_id": article["thumb_media_id"],
        "thumb_url": f"{desk.base}/material/{article['thumb_media_id']}",
        "need_open_comment": article.get("need_open_comment", 0),
        "only_fans_can_comment": article.get("only_fans_can_comment", 0),
    }


def _is_ours(desk: Desk, tag: str) -> bool:
    source = _SOURCE.search(tag)
    if source is None:
        return False
    head, _, name = source[1].rpartition("/mmbiz/")
    return bool(head) and desk.store.get("image", name) is not None

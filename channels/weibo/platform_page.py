"""What a follower sees of the loopback Weibo: a phone's feed, one post's page, its picture."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from channels.loopback import Reply
from channels.weibo.permalink import to_code
from channels.weibo.platform_store import Store, Stored

PER_PAGE = 20
_LINK = re.compile(r"https?://\S+")
_pages = Environment(loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined)


def feed(store: Store, uid: str, screen_name: str, number: int) -> Reply:
    """Newest first, ``PER_PAGE`` to a page; deleted posts leave their notice."""
    number = max(1, number)
    posts = store.newest(PER_PAGE + 1, (number - 1) * PER_PAGE)
    older = number + 1 if len(posts) > PER_PAGE else 0
    return _render(uid, screen_name, posts[:PER_PAGE], store.count(listed=True), newer=number - 1, older=older, single=False)


def post(store: Store, uid: str, screen_name: str, mid: str) -> Reply:
    found = store.get(mid)
    if found is None:
        return missing()
    return _render(uid, screen_name, [found], store.count(listed=True), newer=0, older=0, single=True)


def picture(store: Store, mid: str) -> Reply:
    found = store.picture(mid)
    return Reply(200, found[1], found[0]) if found else missing()


def missing() -> Reply:
    return Reply.html(
        "<!doctype html><html lang=zh-CN><meta charset=utf-8><title>找不到页面</title><p>抱歉，你访问的页面地址有误。</p>", 404
    )


def _render(uid: str, screen_name: str, posts: list[Stored], total: int, *, newer: int, older: int, single: bool) -> Reply:
    page = _pages.get_template("platform.html").render(
        uid=uid,
        screen_name=screen_name,
        posts=[_shown(uid, each) for each in posts],
        total=total,
        newer=newer,
        older=older,
        single=single,
    )
    return Reply.html(page)


def _shown(uid: str, stored: Stored) -> dict[str, object]:
    at = datetime.fromtimestamp(stored.created, UTC) + timedelta(hours=8)
    return {
        "mid": stored.mid,
        "path": f"/{uid}/{to_code(stored.mid)}",
        "deleted": stored.deleted is not None,
        "time": at.strftime("%Y-%m-%d %H:%M"),
        "words": _linked(stored.sent),
        "picture": f"/_pic/{stored.mid}" if stored.picture_type else "",
    }


def _linked(text: str) -> Markup:
    """The words with every address as a link, under the name Weibo gives to all of them."""
    parts, end = [Markup("")], 0
    for match in _LINK.finditer(text):
        parts += [escape(text[end : match.start()]), Markup('<a class="link" href="{}">网页链接</a>').format(match.group())]
        end = match.end()
    return Markup("").join([*parts, escape(text[end:])])

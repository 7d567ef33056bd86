"""What a follower sees: the account's feed, an article, and (for the curious) the draft box. No outside resources."""

from __future__ import annotations

import re
from datetime import datetime
from html import escape
from typing import Any
from urllib.parse import urlsplit

from channels.loopback import Reply, Request
from channels.wechat.errors import BEIJING
from channels.wechat.platform_state import Desk

_SHOWN = 60
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; img-src 'self'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
_STYLE = """
*{box-sizing:border-box;margin:0;padding:0}
body{background:#ededed;color:#191919;font:16px/1.6 -apple-system,"PingFang SC","Noto Sans CJK SC","Microsoft YaHei",sans-serif}
.phone{max-width:480px;margin:0 auto;min-height:100vh;background:#f7f7f7;box-shadow:0 0 12px rgba(0,0,0,.08)}
.bar{position:sticky;top:0;padding:12px 16px;background:#ededed;text-align:center;font-weight:600;border-bottom:1px solid #ddd}
.bar small{display:block;color:#666;font-weight:400;font-size:12px}
h2{margin:20px 16px 8px;font-size:14px;font-weight:500;color:#666}
.card{display:block;margin:0 12px 16px;background:#fff;border-radius:8px;overflow:hidden;}
.card>a:first-child{display:block;color:inherit;text-decoration:none}
.card img{display:block;width:100%;aspect-ratio:2.35;object-fit:cover;background:#ddd}
.card .words{display:block;padding:12px 14px}.card strong{display:block;font-size:17px;line-height:1.4;font-weight:500}
.card .words span{display:block;color:#666;font-size:14px;margin-top:6px}.card time,.meta{color:#767676;font-size:13px}
.card time{display:block;margin-top:8px}
.source{display:block;padding:10px 14px;border-top:1px solid #eee;color:#576b95;font-size:14px;text-decoration:none;overflow-wrap:anywhere}
.draft,.gone,.empty{margin:0 12px 8px;padding:12px 14px;background:#fff;border-radius:8px;font-size:15px}
.draft a{color:inherit;text-decoration:none}
.draft small,.gone small{display:block;color:#767676}.gone,.empty{color:#767676}
.article{background:#fff;padding:20px 16px 32px;min-height:100vh}.article h1{font-size:22px;line-height:1.4;font-weight:500}
.meta{margin:12px 0 22px}.meta b{color:#576b95;font-weight:400}
.article .body{overflow-wrap:anywhere}.article .body img{max-width:100%;height:auto}.article>.source{padding:24px 0 0;border:0}
.notice{padding:96px 24px;text-align:center;color:#666}
.notice b{display:block;font-size:18px;color:#191919;font-weight:500;margin-bottom:8px}
"""


def page(desk: Desk, request: Request) -> Reply:
    """Answer a reader."""
    head, _, tail = request.path.strip("/").partition("/")
    if request.method not in ("GET", "HEAD"):
        return Reply(405, b"", "text/plain")
    if request.path == "/":
        return _html(_feed(desk), desk.knobs.title)
    if head == "favicon.ico":
        return Reply(204, b"", "image/x-icon")
    if head in ("mmbiz", "material"):
        found = desk.store.data("image" if head == "mmbiz" else "material", tail)
        return Reply(200, found[1], found[0]["type"], {"Cache-Control": "max-age=86400"}) if found else Reply(404, b"", "text/plain")
    if head == "s":
        return _article(desk, desk.store.get("article", tail) or desk.store.get("mass_article", tail))
    if head == "draft":
        return _article(desk, desk.store.get("draft", tail))
    return _notice("页面不存在", "请检查地址", 404)


def _feed(desk: Desk) -> str:
    shown = [(k, b, at) for kind in ("article", "mass_article") for k, b, at in desk.store.newest(kind, _SHOWN)]
    shown.sort(key=lambda row: row[1]["created"], reverse=True)
    cards = "".join(_card(key, body) for key, body, _ in shown[:_SHOWN]) or '<p class="empty">还没有发布过文章</p>'
    drafts = "".join(
        f'<div class="draft"><a href="/draft/{escape(key)}">{escape(body["news"][0]["title"])}</a><small>{_time(at)} 保存</small></div>'
        for key, body, at in desk.store.newest("draft", _SHOWN)
    )
    drafts = drafts or '<p class="empty">草稿箱是空的</p>'
    box = f"<h2>草稿箱（{desk.store.count('draft')} 篇，读者看不到）</h2>{drafts}"
    return (
        f'<div class="phone"><header class="bar">{escape(desk.knobs.title)}<small>回环模拟公众号，仅供演示与测试</small></header>'
        f"<main><h2>已发布</h2>{cards}{box}</main></div>"
    )


def _card(key: str, body: dict[str, Any]) -> str:
    news = body["news"][0]
    if body["status"]:
        return f'<div class="gone">{_words_for(body["status"])}<small>{_time(body["created"])} · {escape(news["title"])}</small></div>'
    return (
        f'<article class="card"><a href="/s/{escape(key)}"><img src="/material/{escape(news["thumb_media_id"])}" alt="封面">'
        f'<span class="words"><strong>{escape(news["title"])}</strong><span>{escape(news["digest"])}</span>'
        f"<time>{_time(body['created'])}</time></span></a>{_source(news)}</article>"
    )


def _source(news: dict[str, Any]) -> str:
    address = news["content_source_url"]
    return f'<a class="source" href="{escape(address)}">阅读原文</a>' if urlsplit(address).scheme in ("http", "https") else ""


def _article(desk: Desk, body: dict[str, Any] | None) -> Reply:
    if body is None:
        return _notice("参数错误", "链接已失效", 404)
    if body.get("status"):
        return _notice(_words_for(body["status"]), "", 404)
    news = body["news"][0]
    # Pictures keep the address under which they were uploaded; after a restart that may be another port.
    content = re.sub(r"https?://[^/\"']+/mmbiz/", "/mmbiz/", news["content"])
    author = f"{escape(news['author'])}　" if news["author"] else ""
    main = (
        f'<div class="phone"><main class="article"><h1>{escape(news["title"])}</h1>'
        f'<p class="meta">{author}<b>{escape(desk.knobs.title)}</b>　{_time(body["created"])}</p>'
        f'<div class="body">{content}</div>{_source(news)}</main></div>'
    )
    return _html(main, news["title"])


def _words_for(status: int) -> str:
    return "该内容已被发布者删除" if status == 5 else "此内容因违规无法查看"


def _notice(words: str, more: str, status: int) -> Reply:
    return _html(f'<div class="phone"><main class="notice"><b>{escape(words)}</b>{escape(more)}</main></div>', words, status)


def _html(main: str, title: str, status: int = 200) -> Reply:
    text = (
        '<!doctype html><html lang="zh-CN"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body>{main}</body></html>"
    )
    return Reply(status, text.encode(), "text/html; charset=utf-8", _HEADERS)


def _time(at: float) -> str:
    return datetime.fromtimestamp(at, BEIJING).strftime("%Y-%m-%d %H:%M")

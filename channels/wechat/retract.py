"""Taking back: a free publication, a mass message or a draft. Idempotent; what is gone counts as taken back.

Deletions are few (freepublish/delete: 10 a day, wechat.md §6) and cannot be undone, so each is preceded by a look.
"""

from __future__ import annotations

from collections.abc import Collection

from channels.base import Absent, Live, Outcome, Ref, Unavailable, Unknown
from channels.wechat.client import Problem
from channels.wechat.find import Fingerprint, find_article
from channels.wechat.office import Office, known, one_only
from channels.wechat.poll import ask

_GONE = (40007, 53600)
_NOT_LISTED = 48001


def take_back(office: Office, shown: Ref, mark: Fingerprint, but: Collection[str] = (), *, search: bool = True) -> Outcome:
    """Delete what ``shown`` names. ``Absent``: it is gone, or never was.

    ``mark`` finds the article of a draft that a person published; ``but`` are articles that must stay; ``search`` False
    leaves such articles to people.
    """
    shown = dict(shown)
    if known(shown, "article_id"):
        return _delete_article(office, shown)
    if known(shown, "msg_id"):
        return _delete_mass(office, shown)
    if known(shown, "publish_id"):
        result = ask(office, shown)
        if result.live:
            return _delete_article(office, shown)
        if result.gone or result.failed:
            return Absent("该文章没有在微信发布，或已不在")
        if not result.lost:
            return Unavailable("文章仍在发布中，发布完成后再删除", office.settings.pause(30))
    if not known(shown, "media_id"):
        return Absent("该内容从未送达微信")
    return _delete_draft(office, shown, mark, but, search)


def look(office: Office, shown: Ref, mark: Fingerprint) -> Outcome:
    """Whether what ``shown`` names still stands: Live, Absent or Unknown. Read only."""
    shown = dict(shown)
    if known(shown, "article_id"):
        return _look_at_article(office, shown)
    if known(shown, "msg_id") or known(shown, "publish_id"):
        result = ask(office, shown)
        if result.gone or result.failed:
            return Absent("微信已不显示")
        return Live(shown, known(shown, "url")) if result.live else _doubt(office, "微信尚未给出结果")
    if not known(shown, "media_id"):
        return Absent("该内容从未送达微信")
    answer = office.client.post("/cgi-bin/draft/get", {"media_id": known(shown, "media_id")}, "查询草稿")
    if not isinstance(answer, Problem):
        return Live(shown)
    if answer.code not in _GONE:
        return _doubt(office, answer.why)
    found = find_article(office, mark, ())
    if isinstance(found, tuple):
        return Live({**shown, "article_id": found[0], "url": found[1]}, found[1])
    return Absent("草稿已不在草稿箱") if found is None else _doubt(office, f"草稿已不在草稿箱，无法核对是否已由人工发布：{found.why}")


def _delete_article(office: Office, shown: Ref) -> Outcome:
    before = _look_at_article(office, shown)
    if not isinstance(before, Live):
        # A look that failed has changed nothing, so this is no doubt about a deletion.
        return Unavailable(before.why, office.settings.pause(30)) if isinstance(before, Unknown) else before
    body = {"article_id": known(shown, "article_id"), "index": 0}
    return _deleted(office, office.client.post("/cgi-bin/freepublish/delete", body, "删除文章", effect=True), "微信文章已删除")


def _look_at_article(office: Office, shown: Ref) -> Outcome:
    answer = office.client.post("/cgi-bin/freepublish/getarticle", {"article_id": known(shown, "article_id")}, "查询文章")
    if isinstance(answer, Problem):
        return Absent("微信已没有这篇文章") if answer.code in _GONE else _doubt(office, answer.why)
    news = answer.get("news_item") or []
    if news and all(isinstance(item, dict) and item.get("is_deleted") for item in news):
        return Absent("微信文章已删除")
    return Live(shown, known(shown, "url"))


def _delete_mass(office: Office, shown: Ref) -> Outcome:
    result = ask(office, shown)
    if result.gone or result.failed:
        return Absent("群发没有成功，或已删除")
    if not result.live:
        return Unavailable("群发尚未结束，结束后再删除", office.settings.pause(30))
    msg_id = known(shown, "msg_id")
    body = {"msg_id": int(msg_id) if msg_id.isdecimal() else msg_id, "article_idx": 0}
    return _deleted(office, office.client.post("/cgi-bin/message/mass/delete", body, "删除群发", effect=True), "群发图文已删除")


def _delete_draft(office: Office, shown: Ref, mark: Fingerprint, but: Collection[str], search: bool) -> Outcome:
    body = {"media_id": known(shown, "media_id")}
    answer = office.client.post("/cgi-bin/draft/get", body, "查询草稿")
    if not isinstance(answer, Problem):
        return _deleted(office, office.client.post("/cgi-bin/draft/delete", body, "删除草稿", effect=True), "草稿已删除")
    if answer.code not in _GONE:
        return one_only(answer.outcome)
    if not search:
        return Absent("草稿已不在草稿箱")
    found = find_article(office, mark, but)
    if isinstance(found, tuple):
        return _delete_article(office, {**shown, "article_id": found[0], "url": found[1]})
    if found is None:
        return Absent("草稿已不在草稿箱，已发布列表中也没有")
    if found.code == _NOT_LISTED:
        return Unknown("草稿已不在草稿箱，账号又无权查询已发布列表，请在公众号后台核对并删除")
    return one_only(found.outcome)


def _deleted(office: Office, answer: object, words: str) -> Outcome:
    if not isinstance(answer, Problem) or answer.code in _GONE:
        return Absent(words)
    if isinstance(answer.outcome, Unknown):
        return _doubt(office, answer.outcome.why)
    return one_only(answer.outcome)


def _doubt(office: Office, why: str) -> Unknown:
    return Unknown(why, office.settings.pause(10))

"""Look before sending again (wechat.md §9). Read only: every answer comes from a listing or a query.

Nothing is declared absent on one look: a call may still be travelling, and a publication leaves the draft box at a
moment nobody documents. Two looks, well apart, are the proof.

``Absent`` carries no ref. So where a look finds an id that the next send must go on from, it first answers with that ref
(and the mark ``go_on``), and the look after that says ``Absent`` without asking the platform again.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from channels.base import Absent, Accepted, Action, Job, Live, Outcome, Ref, Rendition, Unknown
from channels.wechat.client import Problem
from channels.wechat.find import Fingerprint, find_article, find_draft
from channels.wechat.office import SETTLE_SECONDS, SUBMIT_SETTLE_SECONDS, Office, doubtful, known, live, said
from channels.wechat.poll import ask, was_live
from channels.wechat.publish import replacement_due
from channels.wechat.retract import look

_NO_SUCH_ID = 40007
_GO_ON = {True: "更正文章已发布，尚需删除旧文章", False: "草稿已保存，尚未提交发布"}


def reconcile(office: Office, rendition: Rendition, job: Job) -> Outcome:
    """What does the platform say about this job?"""
    if job.action is Action.WITHDRAW:
        return look(office, job.previous, _mark(rendition, job, job.published_at, known(job.previous, "title")))
    ref = dict(job.ref)
    if ref.get("go_on"):
        return Absent(_GO_ON[bool(known(ref, "article_id") or known(ref, "msg_id"))])
    if was_live(ref):
        return _watch(office, rendition, job, ref)
    if known(ref, "publish_id") or known(ref, "msg_id"):
        result = ask(office, ref)
        if result.lost and known(ref, "media_id"):
            return _look_for_article(office, rendition, job, ref)
        return _settled(office, job, ref) if result.live else result.outcome
    if known(ref, "media_id"):
        draft_only = office.settings.mode == "draft"
        return _look_at_draft(office, rendition, job, ref) if draft_only else _look_for_article(office, rendition, job, ref)
    return _look_for_draft(office, rendition, job, ref)


def _settled(office: Office, job: Job, ref: Ref) -> Outcome:
    """It stands. A correction is done only when the article it corrects is gone, and deleting is for ``push``."""
    if not replacement_due(office, job, ref):
        return live(ref)
    return Accepted({**ref, "go_on": True}, timedelta(0))


def _watch(office: Office, rendition: Rendition, job: Job, ref: Ref) -> Outcome:
    if replacement_due(office, job, ref):
        old = look(office, job.previous, _mark(rendition, job, job.published_at, known(job.previous, "title")))
        if isinstance(old, Unknown):
            return doubtful(office, ref, old.why)
        if isinstance(old, Live):
            return _settled(office, job, ref)
        ref["replaced"] = True
        return live(ref)
    if known(ref, "publish_id") or known(ref, "msg_id"):
        # Only these two say whether a person or the platform took it down.
        return ask(office, ref).outcome
    return look(office, ref, _mark(rendition, job, job.first_attempt_at))


def _look_for_draft(office: Office, rendition: Rendition, job: Job, ref: Ref) -> Outcome:
    """draft/add is in doubt: nothing later can have happened, because its id was never kept."""
    found = find_draft(office, _mark(rendition, job, job.first_attempt_at), {known(job.previous, "media_id")})
    if isinstance(found, Problem):
        return doubtful(office, ref, found.why)
    if found is None:
        return _missing(office, job, ref, "草稿箱中没有这篇草稿", SETTLE_SECONDS)
    for spent in ("thumb", "images", "missing_since"):
        ref.pop(spent, None)
    ref |= {"media_id": found, "title": said(rendition, "title")}
    if office.settings.mode == "draft":
        return _settled(office, job, ref)
    return Unknown(_GO_ON[False], timedelta(0), {**ref, "go_on": True})


def _look_at_draft(office: Office, rendition: Rendition, job: Job, ref: Ref) -> Outcome:
    """Draft mode: once it is in the box, a person decides; it is never added a second time."""
    answer = office.client.post("/cgi-bin/draft/get", {"media_id": known(ref, "media_id")}, "查询草稿")
    if not isinstance(answer, Problem):
        return _settled(office, job, ref)
    if answer.code != _NO_SUCH_ID:
        return doubtful(office, ref, answer.why)
    found = _article(office, rendition, job)
    if isinstance(found, tuple):
        ref |= {"article_id": found[0], "url": found[1]}
        return _settled(office, job, ref)
    return doubtful(office, ref, "草稿已不在草稿箱，可能已由人工群发或删除，请在公众号后台核对")


def _look_for_article(office: Office, rendition: Rendition, job: Job, ref: Ref) -> Outcome:
    """A submit is in doubt."""
    answer = office.client.post("/cgi-bin/draft/get", {"media_id": known(ref, "media_id")}, "查询草稿")
    if isinstance(answer, Problem) and answer.code != _NO_SUCH_ID:
        return doubtful(office, ref, answer.why)
    consumed = isinstance(answer, Problem)
    if office.settings.mode == "mass":
        if consumed:
            return Absent("草稿已离开草稿箱；可再次提交，平台按 clientmsgid 去重")
        return _missing(office, job, ref, "草稿仍在草稿箱，群发未被受理", SETTLE_SECONDS)
    found = _article(office, rendition, job)
    if isinstance(found, Problem):
        return doubtful(office, ref, found.why)
    if found is not None:
        for spent in ("missing_since", "consumed"):
            ref.pop(spent, None)
        ref |= {"article_id": found[0], "url": found[1]}
        return _settled(office, job, ref)
    if consumed:
        ref["consumed"] = True
        return doubtful(office, ref, "草稿已提交，尚未见到文章", office.settings.pause(SETTLE_SECONDS))
    return _missing(office, job, ref, "草稿仍在草稿箱，发布未被受理", SUBMIT_SETTLE_SECONDS)


def _article(office: Office, rendition: Rendition, job: Job) -> tuple[str, str] | Problem | None:
    return find_article(office, _mark(rendition, job, job.first_attempt_at), {known(job.previous, "article_id")})


def _missing(office: Office, job: Job, ref: Ref, why: str, seconds: float) -> Outcome:
    settle = office.settings.pause(seconds)
    since = known(ref, "missing_since")
    if not since:
        ref["missing_since"] = job.now.isoformat()
        return doubtful(office, ref, f"{why}，稍后再核对一次", settle)
    left = datetime.fromisoformat(since) + settle - job.now
    if left > timedelta(0):
        return doubtful(office, ref, f"{why}，稍后再核对一次", left)
    return Absent(why)


def _mark(rendition: Rendition, job: Job, since: datetime, title: str = "") -> Fingerprint:
    return Fingerprint(title or said(rendition, "title"), said(rendition, "content_source_url"), min(since, job.now))

"""Draft → submit → result, resumable at every step through ``job.ref``.

    {}  --media, draft/add-->  {media_id}  --submit | sendall-->  {publish_id | msg_id}  --looked up-->  {article_id, url}
                                                     and, for a correction:  --old one taken back-->  {replaced}

Each id is kept before the next call is made. The hub calls ``push`` again only when nothing is in doubt, so an id that
is there is simply the place to go on from.
"""

from __future__ import annotations

import base64
import hashlib

from channels.base import Absent, Action, Job, Json, Outcome, Ref, Refused, Rendition, Unavailable, Unknown
from channels.wechat.client import Problem, gives
from channels.wechat.find import Fingerprint
from channels.wechat.media import place
from channels.wechat.office import Office, accepted, doubtful, keep, known, live, number, said, stopped
from channels.wechat.poll import ask
from channels.wechat.retract import take_back

_ALREADY_SENT = 45065
_NO_SUCH_ID = 40007


def push(office: Office, rendition: Rendition, job: Job) -> Outcome:
    """Go on from where ``job.ref`` says."""
    if rendition.blocked:
        return Refused("微信渠道稿仍有未解决的问题：" + "；".join(f.message for f in rendition.findings if f.severity == "block"))
    ref: Ref = {key: value for key, value in job.ref.items() if key not in ("missing_since", "go_on")}
    if len(ref) < len(job.ref):
        # What an earlier look noted proves nothing about this send, should it die half-way.
        keep(job, ref)
    if known(ref, "article_id"):
        return finish(office, rendition, job, ref)
    if known(ref, "publish_id") or known(ref, "msg_id"):
        result = ask(office, ref)
        if result.live:
            return finish(office, rendition, job, ref)
        if not result.failed and not result.gone:
            return result.outcome
        # Only a person sends again what the platform decided against, or what was taken down before we saw it.
        problem = _start_over(office, job, ref)
        if problem is not None:
            return stopped(office, ref, problem)
    if ref.pop("consumed", None):
        # Only a person who saw that nothing was published leads here: the spent draft is no use any more.
        ref.pop("media_id", None)
    if not known(ref, "media_id"):
        problem = _draft(office, rendition, job, ref)
        if problem is not None:
            return stopped(office, ref, problem)
    if office.settings.mode == "draft":
        return finish(office, rendition, job, ref)
    problem = _submit(office, job, ref) if office.settings.mode == "publish" else _send_all(office, job, ref)
    if problem is None:
        return accepted(office, ref)
    if problem.code == _NO_SUCH_ID:
        # The draft is gone from the box: published by an attempt whose answer was lost, or deleted by a person (§8).
        return doubtful(office, ref, "草稿已不在草稿箱，需核对是否已经发布")
    return stopped(office, ref, problem)


def finish(office: Office, rendition: Rendition, job: Job, ref: Ref) -> Outcome:
    """The new article stands (or, in draft mode, its draft): take back the one it corrects."""
    if not replacement_due(office, job, ref):
        return live(ref)
    old = Fingerprint(known(job.previous, "title") or said(rendition, "title"), said(rendition, "content_source_url"), job.published_at)
    # In draft mode a person publishes and deletes; only our own old draft is cleared away.
    outcome = take_back(office, job.previous, old, {known(ref, "article_id")}, search=office.settings.mode != "draft")
    if isinstance(outcome, Absent):
        ref["replaced"] = True
        keep(job, ref)
        return live(ref)
    if isinstance(outcome, Unknown):
        return doubtful(office, ref, f"更正文章已发布，旧文章是否已删除待核对：{outcome.why}")
    if isinstance(outcome, Unavailable):
        return Unavailable(f"更正文章已发布，旧文章待删除：{outcome.why}", outcome.retry_after)
    return outcome


def replacement_due(office: Office, job: Job, ref: Ref) -> bool:
    """Whether an older article of this item still has to go."""
    return job.action is Action.CORRECT and bool(job.previous) and office.settings.replace_on_correction and not ref.get("replaced")


def client_message_id(key: str, retries: int = 0) -> str:
    """``clientmsgid``: the delivery's own key, the only idempotency key of the platform; at most 64 ASCII bytes (§5).

    ``retries`` counts the times a person sent again what the platform had decided against: those are new sends.
    """
    text = f"{key}.{retries}" if retries else key
    return text if text.isascii() and len(text) <= 64 else hashlib.sha256(text.encode()).hexdigest()


def _start_over(office: Office, job: Job, ref: Ref) -> Problem | None:
    """A retry, by a person, of what the platform had decided against: submit the draft again if it is still there."""
    for spent in ("publish_id", "msg_id", "polls", "mass_status"):
        ref.pop(spent, None)
    ref["retries"] = (number(ref.get("retries")) or 0) + 1
    answer = office.client.post("/cgi-bin/draft/get", {"media_id": known(ref, "media_id")}, "查询草稿")
    if isinstance(answer, Problem):
        if answer.code != _NO_SUCH_ID:
            return answer
        ref.pop("media_id", None)
    keep(job, ref)
    return None


def _draft(office: Office, rendition: Rendition, job: Job, ref: Ref) -> Problem | None:
    addresses = _upload(office, rendition, job, ref)
    if isinstance(addresses, Problem):
        return addresses
    content = place(said(rendition, "content"), addresses)
    if content is None:
        return Problem(Refused("正文含有未上传到微信的图片，微信会将其删除；请重新插入图片"))
    limits = office.settings
    if len(content) >= limits.content_limit or len(content.encode()) >= limits.content_bytes:
        return Problem(Refused(f"微信正文连同图片地址共 {len(content):,} 字，须少于 {limits.content_limit:,} 字，请改用“摘要＋阅读原文”"))
    article = {
        "article_type": "news",
        "title": said(rendition, "title"),
        "author": said(rendition, "author"),
        "digest": said(rendition, "digest"),
        "content": content,
        "content_source_url": said(rendition, "content_source_url"),
        "thumb_media_id": known(ref, "thumb"),
        "need_open_comment": rendition.payload.get("need_open_comment", 0),
        "only_fans_can_comment": rendition.payload.get("only_fans_can_comment", 0),
    }
    answer = office.client.post("/cgi-bin/draft/add", {"articles": [article]}, "新建草稿", effect=True)
    if isinstance(answer, Problem) and answer.code == _NO_SUCH_ID:
        # The only id in the call is the cover's: forget it, so that the next attempt uploads it anew.
        office.media.forget_cover(_cover(rendition)[0])
        ref.pop("thumb", None)
        keep(job, ref)
        return Problem(Unavailable("封面素材已被删除，将重新上传"))
    media_id = gives(answer, "media_id", "新建草稿") if isinstance(answer, dict) else answer
    if isinstance(media_id, Problem):
        return media_id
    for spent in ("thumb", "images"):
        ref.pop(spent, None)
    ref |= {"media_id": media_id, "title": said(rendition, "title")}
    keep(job, ref)
    return None


def _upload(office: Office, rendition: Rendition, job: Job, ref: Ref) -> dict[str, str] | Problem:
    """Upload what this job has not uploaded yet: address by SHA-256, and the cover's id in ``ref["thumb"]``."""
    earlier = ref.get("images")
    addresses = {sha: url for sha, url in earlier.items() if isinstance(url, str)} if isinstance(earlier, dict) else {}
    wanted = rendition.payload.get("images")
    for sha in wanted if isinstance(wanted, list) else []:
        if str(sha) in addresses:
            continue
        address = office.media.address(str(sha))
        if isinstance(address, Problem):
            return address
        addresses[str(sha)] = address
        images: dict[str, Json] = dict(addresses)
        ref["images"] = images
        keep(job, ref)
    if not known(ref, "thumb"):
        thumb = office.media.cover(*_cover(rendition))
        if isinstance(thumb, Problem):
            return thumb
        ref["thumb"] = thumb
        keep(job, ref)
    return addresses


def _cover(rendition: Rendition) -> tuple[str, bytes | None]:
    cover = rendition.payload.get("cover")
    assert isinstance(cover, dict)
    png = cover.get("png")
    return str(cover["sha256"]), base64.b64decode(png) if isinstance(png, str) else None


def _submit(office: Office, job: Job, ref: Ref) -> Problem | None:
    answer = office.client.post("/cgi-bin/freepublish/submit", {"media_id": known(ref, "media_id")}, "提交发布", effect=True)
    return _taken(answer, "publish_id", "提交发布", job, ref)


def _send_all(office: Office, job: Job, ref: Ref) -> Problem | None:
    tag = office.settings.mass_tag
    body = {
        "filter": {"is_to_all": False, "tag_id": tag} if tag else {"is_to_all": True},
        "mpnews": {"media_id": known(ref, "media_id")},
        "msgtype": "mpnews",
        "send_ignore_reprint": int(office.settings.send_ignore_reprint),
        "clientmsgid": client_message_id(job.key, number(ref.get("retries")) or 0),
    }
    answer = office.client.post("/cgi-bin/message/mass/sendall", body, "提交群发", effect=True)
    if isinstance(answer, Problem) and answer.code == _ALREADY_SENT and answer.data:
        answer = dict(answer.data)
    return _taken(answer, "msg_id", "提交群发", job, ref)


def _taken(answer: dict[str, object] | Problem, field: str, what: str, job: Job, ref: Ref) -> Problem | None:
    found = gives(answer, field, what) if isinstance(answer, dict) else answer
    if isinstance(found, Problem):
        return found
    ref[field] = found
    keep(job, ref)
    return None

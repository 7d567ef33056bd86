"""Free publication and mass send of the loopback platform: taken at once, decided later (wechat.md §4, §5)."""

from __future__ import annotations

import heapq
import secrets
from collections.abc import Iterator
from html import escape
from typing import Any

from channels.wechat.platform_drafts import listing
from channels.wechat.platform_state import Desk, Refusal

FIRST_PUBLISH_ID = 2_247_483_600
FIRST_MSG_ID = 3_147_483_600
DAY = 86_400


def submit(desk: Desk, asked: dict[str, Any]) -> dict[str, Any]:
    _need_right(desk)
    if desk.knobs.brakes > 0:
        desk.knobs.brakes -= 1
        raise Refusal(53501, "publish too frequently")
    draft = _take_draft(desk, str(asked.get("media_id", "")))
    publish_id = FIRST_PUBLISH_ID + desk.store.number("publish")
    _begin(desk, "job", str(publish_id), {"media_id": asked["media_id"], "news": draft["news"], "status": 1, "created": draft["created"]})
    # A number, although the documentation says text (wechat.md §4).
    return {"errcode": 0, "errmsg": "ok", "publish_id": publish_id, "msg_data_id": publish_id + 7}


def publish_result(desk: Desk, asked: dict[str, Any]) -> dict[str, Any]:
    _need_right(desk)
    publish_id = str(asked.get("publish_id", ""))
    job = desk.store.get("job", publish_id)
    if job is None:
        raise Refusal(53502, "invalid publish_id")
    article = desk.store.get("article", job["article_id"]) if job.get("article_id") else None
    status = (article or {}).get("status") or job["status"]
    answer: dict[str, Any] = {"publish_id": int(publish_id), "publish_status": status}
    if status == 0 and article:
        items = [{"idx": n, "article_url": news["url"]} for n, news in enumerate(article["news"], 1)]
        answer |= {"article_id": job["article_id"], "article_detail": {"count": len(items), "item": items}}
    return {**answer, "fail_idx": [1] if status in (2, 4) else []}


def article_delete(desk: Desk, asked: dict[str, Any]) -> dict[str, Any]:
    _need_right(desk)
    article_id = str(asked.get("article_id", ""))
    article = desk.store.get("article", article_id)
    if article is None or article["status"]:
        raise Refusal(53600, "invalid article_id")
    set_status(desk, article_id, 5)
    return {"errcode": 0, "errmsg": "ok"}


def article_get(desk: Desk, asked: dict[str, Any]) -> dict[str, Any]:
    _need_right(desk)
    article = desk.store.get("article", str(asked.get("article_id", "")))
    if article is None:
        raise Refusal(53600, "invalid article_id")
    return {"news_item": [{**news, "is_deleted": bool(article["status"])} for news in article["news"]]}


def article_list(desk: Desk, asked: dict[str, Any]) -> dict[str, Any]:
    _need_right(desk)
    return listing(desk, asked, "article", "article_id")


def set_status(desk: Desk, article_id: str, status: int) -> bool:
    """5: deleted by its author, 6: banned by the platform, 0: shown again."""
    return any(desk.store.amend(kind, article_id, status=status) for kind in ("article", "mass_article"))


def send_all(desk: Desk, asked: dict[str, Any], day: str) -> dict[str, Any]:
    now = desk.clock()
    key = str(asked.get("clientmsgid", ""))
    if len(key.encode()) > 64:
        raise Refusal(45067, "clientmsgid size out of limit")
    earlier = desk.store.get("clientmsgid", key) if key else None
    if earlier and now - earlier["at"] < DAY:
        if now - earlier["seen"] < desk.knobs.mass_retry_gap:
            desk.store.put("clientmsgid", key, {**earlier, "seen": now}, now)
            raise Refusal(45066, "same clientmsgid retry too fast")
        raise Refusal(45065, "clientmsgid exist", msg_id=earlier["msg_id"])
    if asked.get("msgtype") != "mpnews" or not isinstance(asked.get("mpnews"), dict) or not isinstance(asked.get("filter"), dict):
        raise Refusal(47001, "data format error")
    sent = (desk.store.get("mass_day", day) or {"count": 0})["count"]
    if sent >= desk.knobs.mass_per_day:
        raise Refusal(45028, "has no masssend quota")
    draft = _take_draft(desk, str(asked["mpnews"].get("media_id", "")))
    desk.store.put("mass_day", day, {"count": sent + 1}, now)
    msg_id = FIRST_MSG_ID + desk.store.number("mass")
    if key:
        desk.store.put("clientmsgid", key, {"msg_id": msg_id, "at": now, "seen": now}, now)
    body = {"media_id": asked["mpnews"]["media_id"], "news": draft["news"], "state": "SENDING", "created": draft["created"]}
    _begin(desk, "mass", str(msg_id), body)
    return {"errcode": 0, "errmsg": "send job submission success", "msg_id": msg_id, "msg_data_id": msg_id + 3}


def mass_get(desk: Desk, asked: dict[str, Any]) -> dict[str, Any]:
    job = desk.store.get("mass", str(asked.get("msg_id", "")))
    if job is None:
        raise Refusal(40059, "invalid msg_id")
    return {"msg_id": int(asked["msg_id"]), "msg_status": job["state"]}


def mass_delete(desk: Desk, asked: dict[str, Any]) -> dict[str, Any]:
    msg_id = str(asked.get("msg_id", ""))
    job = desk.store.get("mass", msg_id)
    if job is None:
        raise Refusal(40059, "invalid msg_id")
    desk.store.put("mass", msg_id, {**job, "state": "DELETE"}, desk.clock())
    if job.get("article_id"):
        set_status(desk, job["article_id"], 5)
    return {"errcode": 0, "errmsg": "ok"}


def reload(desk: Desk) -> None:
    """Find the jobs that were under way when the platform stopped."""
    desk.pending += [(b["ready"], "job", key) for key, b, _ in desk.store.newest("job") if b["status"] == 1]
    desk.pending += [(b["ready"], "mass", key) for key, b, _ in desk.store.newest("mass") if b["state"] == "SENDING"]
    heapq.heapify(desk.pending)


def settle(desk: Desk) -> None:
    """Decide every job whose time has come."""
    for kind, key in _ready(desk):
        job = desk.store.get(kind, key)
        assert job is not None
        title = job["news"][0]["title"]
        status = next((code for word, code in desk.knobs.magic.items() if word in title), 0)
        if desk.knobs.consume_at == "finish" and status == 0:
            desk.store.drop("draft", job["media_id"])
        elif desk.knobs.consume_at == "submit" and status != 0:
            desk.store.put("draft", job["media_id"], {"news": job["news"], "created": job["created"]}, desk.clock())
        if status == 0:
            job["article_id"] = _show(desk, "article" if kind == "job" else "mass_article", job)
        if kind == "job":
            desk.store.put("job", key, {**job, "status": status}, desk.clock())
            desk.outbox.append(_publish_event(desk, key, status, job))
        else:
            desk.store.put("mass", key, {**job, "state": "SEND_FAIL" if status else "SEND_SUCCESS"}, desk.clock())
            desk.outbox.append(_mass_event(desk, key, status, job))


def _ready(desk: Desk) -> Iterator[tuple[str, str]]:
    while desk.pending and desk.pending[0][0] <= desk.clock():
        _, kind, key = heapq.heappop(desk.pending)
        yield kind, key


def _begin(desk: Desk, kind: str, key: str, body: dict[str, Any]) -> None:
    ready = desk.clock() + desk.knobs.publish_delay
    desk.store.put(kind, key, {**body, "ready": ready, "base": desk.base}, desk.clock())
    heapq.heappush(desk.pending, (ready, kind, key))


def _take_draft(desk: Desk, media_id: str) -> dict[str, Any]:
    draft = desk.store.get("draft", media_id)
    if draft is None:
        raise Refusal(40007, "invalid media_id")
    if desk.knobs.consume_at == "submit":
        desk.store.drop("draft", media_id)
    return draft


def _show(desk: Desk, kind: str, job: dict[str, Any]) -> str:
    article_id = secrets.token_urlsafe(16)
    news = [{**n, "url": f"{job['base']}/s/{article_id}"} for n in job["news"]]
    desk.store.put(kind, article_id, {"news": news, "status": 0, "created": desk.clock()}, desk.clock())
    return article_id


def _need_right(desk: Desk) -> None:
    if not desk.knobs.freepublish:
        raise Refusal(48001, "api unauthorized")


def _event(desk: Desk, name: str, inner: str) -> str:
    return (
        "<xml><ToUserName><![CDATA[gh_loopback]]></ToUserName><FromUserName><![CDATA[oLoopbackSystem]]></FromUserName>"
        f"<CreateTime>{int(desk.clock())}</CreateTime><MsgType><![CDATA[event]]></MsgType><Event><![CDATA[{name}]]></Event>{inner}</xml>"
    )


def _publish_event(desk: Desk, publish_id: str, status: int, job: dict[str, Any]) -> str:
    if status == 0:
        items = "".join(
            f"<item><idx>{n}</idx><article_url><![CDATA[{job['base']}/s/{job['article_id']}]]></article_url></item>"
            for n, _ in enumerate(job["news"], 1)
        )
        # A line end inside the id, as seen in the wild.
        detail = f"<article_id><![CDATA[{job['article_id']}\n]]></article_id><article_detail><count>1</count>{items}</article_detail>"
    else:
        detail = "<fail_idx>1</fail_idx>"
    inner = f"<publish_id>{publish_id}</publish_id><publish_status>{status}</publish_status>{detail}"
    return _event(desk, "PUBLISHJOBFINISH", f"<PublishEventInfo>{inner}</PublishEventInfo>")


def _mass_event(desk: Desk, msg_id: str, status: int, job: dict[str, Any]) -> str:
    words = {0: "send success", 2: "err(30003)", 4: "err(20001)"}.get(status, "send fail")
    address = f"{job['base']}/s/{job['article_id']}" if status == 0 else ""
    result = f"<item><ArticleIdx>1</ArticleIdx><ArticleUrl><![CDATA[{address}]]></ArticleUrl></item>" if address else ""
    counts = "<TotalCount>12000</TotalCount><FilterCount>11990</FilterCount><SentCount>11980</SentCount><ErrorCount>10</ErrorCount>"
    return _event(
        desk,
        "MASSSENDJOBFINISH",
        f"<MsgID>{msg_id}</MsgID><Status><![CDATA[{escape(words)}]]></Status>{counts}"
        f"<ArticleUrlResult><Count>1</Count><ResultList>{result}</ResultList></ArticleUrlResult>",
    )

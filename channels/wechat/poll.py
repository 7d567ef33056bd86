"""What became of a job the platform took: freepublish/get and mass/get, read only."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from channels.base import Absent, Outcome, Ref, Refused
from channels.wechat.client import Problem
from channels.wechat.errors import MASS_ERRORS, PUBLISH_STATUS
from channels.wechat.office import Office, accepted, doubtful, known, live, number

_BAD_PUBLISH_ID = 53502
_MASS_ERROR = re.compile(r"err\((\d+)\)")


@dataclass(frozen=True, slots=True)
class Result:
    """``live``: the ref now holds the article. ``gone``: it was published and is no more. ``failed``: it never was."""

    outcome: Outcome
    live: bool = False
    gone: bool = False
    failed: bool = False
    lost: bool = False
    """The platform does not know the id."""


def ask(office: Office, ref: Ref) -> Result:
    """Look once at the job that ``ref`` names, and put what is learned into ``ref``.

    A look that fails changes nothing: the answer is then "still accepted", with the next, rarer look.
    """
    return _ask_publish(office, ref) if known(ref, "publish_id") else _ask_mass(office, ref)


def _ask_publish(office: Office, ref: Ref) -> Result:
    answer = office.client.post("/cgi-bin/freepublish/get", {"publish_id": known(ref, "publish_id")}, "查询发布结果")
    if isinstance(answer, Problem):
        return _not_seen(office, ref, answer)
    status = number(answer.get("publish_status"))
    if status == 0:
        return _published(office, ref, answer)
    if status == 1:
        return Result(accepted(office, ref))
    words = PUBLISH_STATUS.get(status) if status is not None else None
    if words is None:
        return Result(doubtful(office, ref, f"平台返回未登记的发布状态 {answer.get('publish_status')!r}"))
    if status in (5, 6):
        return Result(_gone(ref, words), gone=True)
    hint = "，请运维人员查看公众号后台" if status == 3 else _which(answer)
    return Result(Refused(f"微信{words}{hint}", code=f"publish_status {status}"), failed=True)


def _published(office: Office, ref: Ref, answer: dict[str, Any]) -> Result:
    article_id = str(answer.get("article_id") or "").strip()
    if not article_id:
        return Result(doubtful(office, ref, "查询发布结果：状态为成功，但没有 article_id"))
    items = (answer.get("article_detail") or {}).get("item") or []
    # One article comes as an object where several come as a list (wechat.md §4 says the same of the event).
    first = items[0] if isinstance(items, list) and items else items
    ref["article_id"] = article_id
    if isinstance(first, dict) and first.get("article_url"):
        ref["url"] = str(first["article_url"]).strip()
    return Result(live(ref), live=True)


def _ask_mass(office: Office, ref: Ref) -> Result:
    answer = office.client.post("/cgi-bin/message/mass/get", {"msg_id": known(ref, "msg_id")}, "查询群发结果")
    if isinstance(answer, Problem):
        return _not_seen(office, ref, answer)
    status = str(answer.get("msg_status", "")).strip().upper().replace(" ", "_")
    if status == "SEND_SUCCESS":
        ref["sent"] = True
        return Result(live(ref), live=True)
    if status == "SENDING":
        return Result(accepted(office, ref))
    if status == "DELETE":
        return Result(_gone(ref, "群发后被公众号管理者删除"), gone=True)
    error = _MASS_ERROR.search(str(answer.get("msg_status", "")) + known(ref, "mass_status"))
    if status == "SEND_FAIL" or error:
        why = MASS_ERRORS.get(int(error[1]), f"err({error[1]})") if error else "平台未说明原因"
        return Result(Refused(f"微信群发失败：{why}，请在公众号后台查看", code=error[0] if error else status), failed=True)
    return Result(doubtful(office, ref, f"平台返回未登记的群发状态 {answer.get('msg_status')!r}"))


def _not_seen(office: Office, ref: Ref, problem: Problem) -> Result:
    if problem.code == _BAD_PUBLISH_ID:
        return Result(doubtful(office, ref, problem.why), lost=True)
    if was_live(ref):
        return Result(doubtful(office, ref, problem.why))
    return Result(accepted(office, ref))


def _gone(ref: Ref, words: str) -> Outcome:
    """A person or the platform took it down. "Absent" for one that was delivered; a fresh one must never be sent again."""
    if was_live(ref):
        return Absent(f"微信文章已不在：{words}")
    return Refused(f"微信文章{words}，未再次发送", code="taken_down")


def was_live(ref: Ref) -> bool:
    """Whether an earlier look already saw it published."""
    return bool(known(ref, "article_id")) or ref.get("sent") is True


def _which(answer: dict[str, Any]) -> str:
    indices = answer.get("fail_idx")
    if not indices:
        return "，请修改内容后重新送审"
    shown = "、".join(str(i) for i in (indices if isinstance(indices, list) else [indices]))
    return f"（第 {shown} 篇），请修改内容后重新送审"

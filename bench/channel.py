"""A channel that posts its payload and nothing more: the engine around it is what is measured. Registered in benches only."""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar

from channels.base import Absent, Account, Health, Job, Limits, Live, Outcome, Publication, Rendition, Surroundings, Unknown, dumps_utf8
from channels.http import Answer, Http
from channels.registry import CHANNELS, Lazy


class Posting:
    name: ClassVar[str] = "bench"
    limits: ClassVar[Limits] = Limits(batch=50, can_edit=True, absence_is_proof=True, retry_base=timedelta(seconds=1))

    def __init__(self, account: Account, around: Surroundings) -> None:
        self._http = Http(read_timeout=60)
        self._url = account.api_base + "/post"

    def format(self, publication: Publication) -> Rendition:
        return Rendition(self.name, {"title": publication.title, "text": publication.body_html, "url": publication.url})

    def push(self, rendition: Rendition, job: Job) -> Outcome:
        answer = self._http.call("POST", self._url, data=dumps_utf8(rendition.payload), headers={"Content-Type": "application/json"})
        if not isinstance(answer, Answer):
            return answer
        body = answer.json()
        if answer.status != 200 or not isinstance(body, dict) or not body.get("id"):
            return Unknown(f"答复 {answer.status} 中没有编号")
        return Live({"id": str(body["id"])})

    def reconcile(self, rendition: Rendition, job: Job) -> Outcome:
        return Absent("本渠道不保存内容")

    def withdraw(self, rendition: Rendition, job: Job) -> Outcome:
        return Absent("已撤下")

    def check(self) -> Health:
        return Health(ok=True, message="性能测试渠道")


def create(account: Account, around: Surroundings) -> Posting:
    return Posting(account, around)


def register() -> None:
    """Make ``kind = "bench"`` known in this process."""
    CHANNELS["bench"] = Lazy("bench.channel:create")

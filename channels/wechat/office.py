"""What every step of one account works with, and the few words all steps share about a job."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from channels.base import Accepted, Job, Live, Outcome, Ref, RefusalClass, Refused, Rendition, Unavailable, Unknown
from channels.wechat.client import Client, Problem
from channels.wechat.media import Media
from channels.wechat.settings import Settings

POLL_SECONDS = (30, 120, 300, 900, 3600)
"""freepublish/get may be called 100 times a day (wechat.md §6), so looks grow rare quickly."""
SETTLE_SECONDS = 60
"""Between the two looks that prove a draft absent: longer than a call may travel."""
SUBMIT_SETTLE_SECONDS = 600
"""The same for a publication: the platform reviews before it shows anything, and the draft may stay in the box meanwhile."""


@dataclass(frozen=True, slots=True)
class Office:
    """One account at work."""

    client: Client
    media: Media
    settings: Settings


def known(ref: Ref, key: str) -> str:
    """An id from a ref, or an empty string."""
    value = ref.get(key)
    return value if isinstance(value, str) else ""


def said(rendition: Rendition, key: str) -> str:
    """A text of the payload."""
    value = rendition.payload.get(key)
    return value if isinstance(value, str) else ""


def accepted(office: Office, ref: Ref) -> Accepted:
    """The platform is at work; the pause before the next look grows with every look."""
    polls = ref.get("polls")
    count = polls if isinstance(polls, int) else 0
    pause = office.settings.pause(POLL_SECONDS[min(count, len(POLL_SECONDS) - 1)])
    return Accepted({**ref, "polls": count + 1}, pause)


def doubtful(office: Office, ref: Ref, why: str, pause: timedelta | None = None) -> Unknown:
    return Unknown(why, office.settings.pause(10) if pause is None else pause, ref)


def stopped(office: Office, ref: Ref, problem: Problem) -> Outcome:
    """The outcome of a push whose call gave no answer; a doubt takes the ref along."""
    if isinstance(problem.outcome, Unknown):
        return doubtful(office, ref, problem.outcome.why)
    return problem.outcome


def one_only(outcome: Outcome) -> Outcome:
    """A spent quota of deletions (10 a day) or of looks must not stop the account, which can still publish."""
    if isinstance(outcome, Refused) and outcome.kind is RefusalClass.QUOTA:
        return Unavailable(outcome.reason, outcome.until)
    return outcome


def number(value: Any) -> int | None:
    """An integer that may come as text."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    return int(value) if isinstance(value, str) and value.strip().lstrip("-").isdecimal() else None


def keep(job: Job, ref: Ref) -> None:
    """Hand the hub a copy: what we change later is ours."""
    job.keep(dict(ref))


def live(ref: Ref) -> Live:
    return Live(ref, known(ref, "url"))

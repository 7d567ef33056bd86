"""Channel accounts (渠道账号): stopped by a refusal that is about the account, started again by a good test call."""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog

from channels.base import Health, RefusalClass, Refused
from hub.app import notices
from hub.app.context import Context, act
from hub.app.people import Caller, require_role
from hub.domain.item import Role
from hub.domain.problems import NotFound
from hub.domain.verbs import Verb
from hub.store.tables import AccountRow
from hub.store.uow import Work

log = structlog.get_logger(__name__)


def ensure(context: Context) -> None:
    """Make the row of every configured account: it is the turnstile of channels that send one at a time."""
    with context.work("system") as work:
        missing = [name for name in context.channels if work.session.get(AccountRow, name) is None]
        for name in missing:
            work.session.add(AccountRow(channel=name))
            work.record(Verb.ACCOUNT_TESTED, f"account:{name}", {"added": True})
        if missing:
            work.commit()


def _row(work: Work, channel: str) -> AccountRow:
    row = work.session.get(AccountRow, channel)
    if row is None:
        row = AccountRow(channel=channel, pause_kind="", pause_reason="")
        work.session.add(row)
    return row


def stop(work: Work, channel: str, refusal: Refused) -> None:
    """Pause the account (or let it rest until the platform's limit is over) and tell its keeper. Only this account stops."""
    row = _row(work, channel)
    known = row.paused_at is not None or (row.brake_until is not None and row.brake_until > work.now)
    row.pause_kind, row.pause_reason = refusal.kind.value, refusal.reason
    if refusal.until is not None and refusal.kind in (RefusalClass.QUOTA, RefusalClass.BRAKE):
        until = work.now + refusal.until
        # Several workers may bring the same news; the longest rest counts.
        row.brake_until = max(until, row.brake_until) if row.brake_until else until
        text = f"{channel} 账号暂停发送至 {until.isoformat(timespec='seconds')}（到时自动恢复）：{refusal.reason}"
    else:
        row.paused_at = row.paused_at or work.now
        text = f"{channel} 账号已停用，需维护人处理后重新检测：{refusal.reason}"
    if not known:
        # A look at a doubtful delivery meets the same refusal again and again; its keeper needs to hear of it once.
        log.error("channel account stopped", channel=channel, kind=refusal.kind.value, reason=refusal.reason)
        notices.tell(work, f"account.{refusal.kind.value}", f"account:{channel}", text)
    work.record(
        Verb.ACCOUNT_PAUSED, f"account:{channel}", {"kind": refusal.kind.value, "reason": refusal.reason[:300], "code": refusal.code}
    )


def worked(work: Work, channel: str) -> None:
    _row(work, channel).last_ok_at = work.now


def test(context: Context, actor: str, channel: str) -> Health:
    """Make the harmless test call; a good answer starts a stopped account again, a bad one is recorded.

    The daily call of beat starts again only what a refusal of token or rights had stopped: it knows nothing of why a
    person paused the account, and a harmless call proves nothing about a used-up quota.
    """
    adapter = context.channels.get(channel)
    if adapter is None:
        raise NotFound(f"没有渠道“{channel}”", code="channel_unknown")
    try:
        health = adapter.check()
    except Exception as error:
        log.exception("channel check raised", channel=channel)
        health = Health(False, f"检测程序出错：{type(error).__name__}: {error}")
    with act(context, actor, Verb.ACCOUNT_TESTED, f"account:{channel}") as work:
        row = _row(work, channel)
        row.tested_at, row.expires_at = work.now, health.expires_at
        by_itself = actor.startswith("worker:")
        resumed = health.ok and (row.paused_at is not None or row.brake_until is not None)
        resumed = resumed and (not by_itself or row.pause_kind in (RefusalClass.TOKEN, RefusalClass.PERMISSION))
        if resumed:
            row.paused_at, row.brake_until, row.pause_kind, row.pause_reason = None, None, "", ""
        if health.ok:
            row.last_ok_at = work.now
        work.record(Verb.ACCOUNT_TESTED, f"account:{channel}", {"ok": health.ok, "message": health.message[:300], "resumed": resumed})
        _warn_of_expiry(work, row, context.policy.expiry_warning)
    return health


def test_by_person(context: Context, caller: Caller, channel: str) -> Health:
    """As ``test``, for a publisher or administrator: a good answer may start a stopped account."""
    with act(context, caller.actor, Verb.ACCOUNT_TESTED, f"account:{channel}") as work:
        require_role(work.session, caller.person_id, work.now, Role.ADMINISTRATOR, Role.PUBLISHER)
    return test(context, caller.actor, channel)


def pause_by_person(context: Context, caller: Caller, channel: str, reason: str) -> None:
    with act(context, caller.actor, Verb.ACCOUNT_PAUSED, f"account:{channel}") as work:
        require_role(work.session, caller.person_id, work.now, Role.ADMINISTRATOR, Role.PUBLISHER)
        if channel not in context.channels:
            raise NotFound(f"没有渠道“{channel}”", code="channel_unknown")
        row = _row(work, channel)
        row.paused_at, row.pause_kind, row.pause_reason = work.now, "person", reason
        work.record(Verb.ACCOUNT_PAUSED, f"account:{channel}", {"kind": "person", "reason": reason})


def _warn_of_expiry(work: Work, row: AccountRow, ahead: timedelta) -> None:
    """Once per authorisation, ``ahead`` of its end: renewing it is a human step (weibo.md §1)."""
    ends: datetime | None = row.expires_at
    if ends is None or ends - work.now > ahead or row.warned_for == ends:
        return
    row.warned_for = ends
    days = max(0, (ends - work.now).days)
    notices.tell(work, "account.expiring", f"account:{row.channel}", f"{row.channel} 授权将于 {days} 天后到期，请尽快重新授权")

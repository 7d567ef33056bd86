"""Telling a person: an outbox row in the same transaction as what happened, sent later by e-mail or webhook."""

from __future__ import annotations

import smtplib
from collections.abc import Callable
from dataclasses import dataclass, field
from email.message import EmailMessage

import requests
import structlog
from sqlalchemy import select

from hub.app.context import Context
from hub.domain.verbs import Verb
from hub.store.tables import Notice
from hub.store.uow import Work

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Hooks:
    """Where notices go. Nothing configured: they stay in the table, marked ``local``, and in the log."""

    webhook: str = ""
    webhook_token: str = field(default="", repr=False)
    smtp_host: str = ""
    smtp_port: int = 25
    smtp_user: str = ""
    smtp_password: str = field(default="", repr=False)
    smtp_tls: bool = False
    sender: str = ""
    recipients: tuple[str, ...] = ()
    timeout: float = 10.0


def tell(work: Work, kind: str, about: str, text: str) -> bool:
    """Queue one notice; one that still waits about the same thing is not repeated. Returns whether it was queued."""
    waiting = select(Notice.id).where(Notice.kind == kind, Notice.subject == about, Notice.state == "waiting").limit(1)
    if work.session.scalar(waiting) is not None:
        return False
    work.session.add(Notice(at=work.now, kind=kind, subject=about, text=text, state="waiting", next_at=work.now))
    return True


def send_waiting(context: Context, hooks: Hooks) -> int:
    """Send what waits, oldest first; a failure waits and tries again, then stays ``failed`` for a person to see."""
    senders = _senders(hooks)
    with context.reading() as session:
        due = list(
            session.scalars(
                select(Notice).where(Notice.state == "waiting", Notice.next_at <= context.clock()).order_by(Notice.id).limit(50)
            )
        )
    for notice in due:
        errors = [error for error in (_try(sender, notice) for sender in senders) if error]
        with context.work("worker:notices") as work:
            row = work.session.get_one(Notice, notice.id)
            if errors:
                row.failures += 1
                row.last_error = "；".join(errors)[:500]
                row.next_at = work.now + context.policy.resend_notice * 2 ** min(row.failures, 8)
                if row.failures >= context.policy.notice_attempts:
                    row.state = "failed"
                    log.error("notice could not be sent", notice=row.id, kind=row.kind, error=row.last_error)
                work.record(Verb.NOTICE_FAILED, f"notice:{row.id}", {"kind": row.kind, "failures": row.failures})
            else:
                row.state = "sent" if senders else "local"
                work.record(Verb.NOTICE_SENT, f"notice:{row.id}", {"kind": row.kind, "about": row.subject, "by": row.state})
            work.commit()
    return len(due)


def _senders(hooks: Hooks) -> list[Callable[[Notice], None]]:
    senders: list[Callable[[Notice], None]] = []
    if hooks.webhook:
        senders.append(lambda notice: _webhook(hooks, notice))
    if hooks.smtp_host and hooks.recipients:
        senders.append(lambda notice: _mail(hooks, notice))
    return senders


def _try(sender: Callable[[Notice], None], notice: Notice) -> str:
    try:
        sender(notice)
    except (requests.RequestException, OSError, smtplib.SMTPException) as error:
        return f"{type(error).__name__}: {error}"
    return ""


def _webhook(hooks: Hooks, notice: Notice) -> None:
    headers = {"Authorization": f"Bearer {hooks.webhook_token}"} if hooks.webhook_token else {}
    body = {"kind": notice.kind, "about": notice.subject, "text": notice.text, "at": notice.at.isoformat(), "id": notice.id}
    requests.post(hooks.webhook, json=body, headers=headers, timeout=hooks.timeout, allow_redirects=False).raise_for_status()


def _mail(hooks: Hooks, notice: Notice) -> None:
    message = EmailMessage()
    message["Subject"] = f"【发布中枢】{notice.text[:60]}"
    message["From"], message["To"] = hooks.sender, ", ".join(hooks.recipients)
    message.set_content(f"{notice.text}\n\n事项：{notice.subject}\n时间：{notice.at.isoformat()}\n")
    with smtplib.SMTP(hooks.smtp_host, hooks.smtp_port, timeout=hooks.timeout) as server:
        if hooks.smtp_tls:
            server.starttls()
        if hooks.smtp_user:
            server.login(hooks.smtp_user, hooks.smtp_password)
        server.send_message(message)

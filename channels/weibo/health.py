"""Is the account well, and when may it call again? Harmless calls only (weibo.md §1, §4)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from channels.base import Health, Surroundings
from channels.weibo import verdict
from channels.weibo.client import Client, Problem, Reply
from channels.weibo.errors import meaning_of
from channels.weibo.rendition import on_safe_domain
from channels.weibo.settings import Settings

SHANGHAI = ZoneInfo("Asia/Shanghai")


def check(client: Client, settings: Settings, around: Surroundings, token: str, remember: Callable[[dict[str, Any]], str]) -> Health:
    """Ask who the token belongs to and how long it lives. ``remember`` is told the answer (it carries the uid)."""
    if not token:
        return Health(ok=False, message="没有配置微博授权（access_token），请账号管理员授权")
    info = client.token_info()
    if not isinstance(info, dict):
        return Health(ok=False, message=_failure(info))
    seconds = _seconds(info.get("expire_in"))
    if seconds is None:
        return Health(ok=False, message="微博的应答里没有授权剩余时间，请稍后再试")
    if not remember(info):
        return Health(ok=False, message="微博的应答里没有账号 uid，请稍后再试")
    now = around.clock()
    ends = now + timedelta(seconds=seconds)
    used, quota = _calls(client.rate_limit_status())
    if seconds <= 0:
        return Health(ok=False, message="微博授权已到期，请账号管理员重新授权", expires_at=ends, used=used, quota=quota)
    wrong = _misconfigured(settings, info, around.site.url)
    message = wrong or _validity(ends, now, settings.warn_days)
    return Health(ok=not wrong, message=message, expires_at=ends, used=used, quota=quota)


def rest(client: Client, settings: Settings, now: datetime) -> timedelta:
    """How long until calls are allowed again: what the platform says, else until the next full hour."""
    reply = client.rate_limit_status()
    seconds = _seconds(reply.get("reset_time_in_seconds")) if isinstance(reply, dict) else None
    if seconds is not None and seconds > 0:
        return timedelta(seconds=seconds)
    return settings.pause(3600 - (now.minute * 60 + now.second))


def _validity(ends: datetime, now: datetime, warn_days: int) -> str:
    shown = ends.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M")
    if ends - now <= timedelta(days=warn_days):
        left = ends - now
        remaining = f"{left.days} 天" if left.days else f"{left.seconds // 3600} 小时"
        return f"微博授权将在 {remaining}后到期（{shown}，北京时间），到期后无法发布，请账号管理员尽快重新授权"
    return f"微博授权有效，至 {shown}（北京时间）"


def _misconfigured(settings: Settings, info: dict[str, Any], site_url: str) -> str:
    if settings.rip_problem:
        return settings.rip_problem
    if settings.uid and str(info["uid"]) != settings.uid:
        return f"授权属于微博账号 {info['uid']}，与设置的 uid {settings.uid} 不一致，请核对授权"
    if settings.safe_domains and not on_safe_domain(site_url, settings.safe_domains):
        return f"本站网址 {site_url} 不在安全域名（{'、'.join(settings.safe_domains)}）之下，微博会拒绝发布"
    return ""


def _failure(reply: Reply) -> str:
    if isinstance(reply, Problem):
        known = meaning_of(reply.code, reply.error)
        return verdict.said(reply, known) if known else f"微博的应答无法识别（HTTP {reply.status}），请稍后再试"
    return f"无法核对微博授权：{getattr(reply, 'reason', '') or getattr(reply, 'why', '')}"


def _calls(reply: Reply) -> tuple[dict[str, int], dict[str, int]]:
    """Calls used and allowed in the platform's current window."""
    limit = reply.get("user_limit") if isinstance(reply, dict) else None
    left = reply.get("remaining_user_hits") if isinstance(reply, dict) else None
    if not isinstance(limit, int) or not isinstance(left, int):
        return {}, {}
    return {"calls": limit - left}, {"calls": limit}


def _seconds(value: object) -> int | None:
    """The platform gives numbers now as numbers, now as strings."""
    try:
        return int(value) if isinstance(value, int | str) else None
    except ValueError:
        return None

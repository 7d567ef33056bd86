"""The feed channel (订阅源): RSS 2.0, Atom 1.0 and JSON Feed 1.1, with an OPML list of all feeds."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from channels.base import Account, Surroundings
from channels.feed.adapter import Feed
from channels.feed.entries import Entry, Release

__all__ = ["Entry", "Feed", "Release", "create", "rebuild"]


def create(account: Account, around: Surroundings) -> Feed:
    """Build the adapter of one account. Raises ValueError, in Chinese, when a setting is wrong."""
    return Feed(account, around)


def rebuild(
    around: Surroundings, entries: Iterable[Entry], progress: Callable[[int], None] = lambda _done: None, *, account: Account | None = None
) -> int:
    """Build index and feeds again from the hub's database; see ``Feed.rebuild``. Without ``account`` the settings are the defaults."""
    return create(account or Account("feed", "feed"), around).rebuild(entries, progress)

"""The public website (网站): static pages written as items are published."""

from __future__ import annotations

from channels.base import Account, Surroundings
from channels.website.channel import Website
from channels.website.rebuilding import Entry, RebuildReport, rebuild

__all__ = ["Entry", "RebuildReport", "Website", "create", "rebuild"]


def create(account: Account, around: Surroundings) -> Website:
    """Build the channel for one configured account. ValueError for a setting of the wrong kind."""
    return Website(account, around)

"""The one job: what three people approved reaches every chosen channel once."""

from __future__ import annotations

from hub.domain.verbs import Verb
from tests.world import World


def test_an_approved_item_reaches_every_channel_once(hub: World) -> None:
    item = hub.released()
    assert hub.send() == 3
    assert set(hub.states(item).values()) == {"delivered"}
    for name in hub.names:
        assert len(hub.platform(name).pushes()) == 1
    assert hub.send() == 0
    assert len(hub.recorded(Verb.DELIVERY_SETTLED)) == 3


def test_the_page_goes_first(hub: World) -> None:
    hub.released()
    assert hub.send("wechat", "feed") == 0
    assert hub.send("website", "wechat", "feed") == 3


def test_what_is_sent_is_what_was_approved(hub: World) -> None:
    item = hub.released()
    hub.send()
    revision = hub.revision(item)
    details = hub.recorded(Verb.REVISION_MADE)[-1]
    assert details["digest"] == revision.digest
    for name in hub.names:
        assert hub.platform(name).pushes()[0].digest == details["renditions"][name]  # type: ignore[index]

"""The platform's own message reaches the hub and is acted on before the next planned look."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import select

from hub.domain.verbs import Verb
from hub.store.record import read_entries
from hub.store.tables import CallbackRow
from tests.journeys.test_many_items import DEPARTMENT, own_text
from tests.journeys.town import town
from tests.waiting import wait_until


def test_a_published_article_is_known_by_the_platforms_call(tmp_path: Path, free_ports: int) -> None:
    with town(tmp_path, ports=free_ports, web=True) as hub:
        line = hub.bring_in([("CALL-1", own_text(1, hub.hub.site.columns[-1].slug))])[0]
        hub.approve_and_release(line, DEPARTMENT)
        hub.wait_final(seconds=120)

        def called() -> bool:
            with hub.hub.context.reading() as session:
                return session.scalar(select(CallbackRow.delivery_id)) is not None

        wait_until(called, timeout=30)
        with hub.hub.context.reading() as session:
            entries = read_entries(session, limit=10, verb=Verb.CALLBACK_RECEIVED.value)
        assert entries[0].entry.actor == "platform:wechat"
        assert entries[0].entry.subject == f"item:{line.public_id}"
        assert set(hub.on_wechat().values()) == {1}

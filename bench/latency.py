"""From due time to the live page, and to the first call of a platform, on a hub that has nothing else to do."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import func, select

from bench import machine
from bench.stage import stage, wait_for
from bench.stock import start, stock
from hub.domain.delivery import DeliveryState
from hub.store.tables import Attempt, Delivery


@dataclass(frozen=True, slots=True)
class Latency:
    """Seconds after the due time, sorted."""

    database: str
    page: tuple[float, ...]
    """Until the website's delivery was settled: the page was written before that."""
    platform: tuple[float, ...]
    """Until the first send to a platform began, which waits for the page."""
    beside: str


def percentile(values: tuple[float, ...], share: float) -> float:
    return statistics.quantiles(values, n=100, method="inclusive")[round(share * 100) - 1] if len(values) > 1 else values[0]


def measure(database: str, *, count: int) -> Latency:
    """``count`` releases, one after the other, each due a little in the future."""
    with stage(database, {"website": "website", "post": "bench"}) as here:
        here.worker("website", "post", "chores")
        here.beat()
        goods = stock(here, count + 2, ["website", "post"])
        foreign = machine.Foreign()
        for number, release in enumerate(goods.releases):
            start(here, [release], delay=timedelta(seconds=0.5))

            def settled(wanted: int = 2 * (number + 1)) -> bool:
                with here.hub.context.reading() as session:
                    done = select(func.count()).select_from(Delivery).where(Delivery.state == DeliveryState.DELIVERED)
                    return (session.scalar(done) or 0) >= wanted

            wait_for(settled, here, seconds=60, what=f"release {number} delivered")
        # The first two load the code and open the connections.
        measured = goods.releases[2:]
        with here.hub.context.reading() as session:
            rows = session.execute(
                select(Delivery.channel, Delivery.due_at, Delivery.settled_at, Attempt.started_at)
                .join(Attempt, Attempt.delivery_id == Delivery.id)
                .where(Delivery.release_id.in_(measured), Attempt.number == 1)
            ).all()
        page = sorted((r.settled_at - r.due_at).total_seconds() for r in rows if r.channel == "website")
        calls = sorted((r.started_at - r.due_at).total_seconds() for r in rows if r.channel == "post")
        return Latency(database, tuple(page), tuple(calls), foreign.words())

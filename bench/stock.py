"""Many approved and released items at once, in the rows the verbs would have left; their deliveries wait for a start signal.

Going through submit and four signatures for each would take longer than what is to be measured; the review path has a bench
of its own. The database's guards look at every row here as they do at the verbs'.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import rfc8785
from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from bench.stage import Stage
from hub.app import publication
from hub.app.release import MAX_AHEAD
from hub.cli.journey import cast_of
from hub.domain.content import Content
from hub.domain.delivery import DeliveryState
from hub.domain.item import STAGES, ItemState
from hub.domain.verbs import Verb
from hub.store.tables import Contributor, Delivery, Department, Item, Person, Release, RenditionRow, Review, Revision

DEPARTMENT = "minzheng"
PARAGRAPH = "<p>为做好困难老年人家庭适老化改造工作，现将第{n}批申请的条件、时间、地点和所需材料通知如下，请符合条件的家庭按时办理。</p>"


def content(number: int, column: str, channels: Sequence[str], paragraphs: int = 6) -> Content:
    """An ordinary notice: about 1 KB of text."""
    return Content(
        title=f"关于开展困难老年人家庭适老化改造的通知（第{number}批）",
        body=PARAGRAPH.format(n=number) * paragraphs,
        kind="notice",
        department=DEPARTMENT,
        column=column,
        formed_on=date(2026, 11, 16),
        summary=f"第{number}批适老化改造补贴申请开始。",
        channels=tuple(channels),
    )


@dataclass(frozen=True, slots=True)
class Stock:
    releases: tuple[int, ...]
    bodies: tuple[str, ...]
    """The stored payload of each delivery to the first channel: what a bare poster would post."""


def stock(stage: Stage, count: int, channels: Sequence[str], *, first: int = 0) -> Stock:
    """Put ``count`` released items into the database; nothing is due before ``start``."""
    hub = stage.hub
    with hub.context.work("system") as work:
        session, now = work.session, work.now
        later = now + MAX_AHEAD
        people = dict(session.execute(select(Person.username, Person.id)).all())
        cast = cast_of(hub)
        signers = [people[n] for n in (cast.heads[DEPARTMENT], cast.first[0], cast.second[0], cast.final["A"])]
        liaison, publisher = people[cast.liaisons[DEPARTMENT]], people[cast.publisher]
        department = session.scalars(select(Department.id).where(Department.slug == DEPARTMENT)).one()
        numbers = range(first, first + count)
        items = [
            Item(
                public_id=f"20261122-b{n:07d}",
                index_no=f"BENCH/2026-{n:07d}",
                department_id=department,
                state=ItemState.RELEASED,
                revision_no=1,
                released_no=1,
                created_by=liaison,
                created_at=now,
                changed_at=now,
            )
            for n in numbers
        ]
        session.add_all(items)
        session.flush()
        column = hub.site.columns[-1].slug
        revisions, rendered = [], []
        for n, item in zip(numbers, items, strict=True):
            text = content(n, column, channels)
            one = publication.render(hub.channels, text, publication.build(session, item, 1, text, hub.context.policy.site_url))
            digests = {name: r.digest for name, r in one.items()}
            revisions.append(
                Revision(
                    item_id=item.id,
                    number=1,
                    content=rfc8785.dumps(text.to_json()).decode(),
                    title=text.title,
                    digest=publication.revision_digest(text, digests),
                    author_id=liaison,
                    created_at=now,
                )
            )
            rendered.append({name: (rfc8785.dumps(r.payload).decode(), r.digest) for name, r in one.items()})
        session.add_all(revisions)
        session.flush()
        _signed(session, revisions, rendered, liaison, signers, now)
        releases = [
            Release(item_id=r.item_id, revision_id=r.id, action="publish", person_id=publisher, at=now, due_at=later) for r in revisions
        ]
        session.add_all(releases)
        session.flush()
        session.execute(
            insert(Delivery),
            [
                {
                    "release_id": release.id,
                    "item_id": release.item_id,
                    "revision_id": release.revision_id,
                    "revision_no": 1,
                    "channel": channel,
                    "action": "publish",
                    "state": DeliveryState.PLANNED,
                    "due_at": later,
                    "next_at": later,
                }
                for release in releases
                for channel in channels
            ],
        )
        work.record(Verb.HUB_SEEDED, "hub", {"items": count})
        work.commit()
        return Stock(tuple(r.id for r in releases), tuple(r[channels[0]][0] for r in rendered))


def _signed(
    session: Session,
    revisions: Sequence[Revision],
    rendered: Sequence[dict[str, tuple[str, str]]],
    liaison: int,
    signers: Sequence[int],
    now: datetime,
) -> None:
    renditions = [
        {"revision_id": revision.id, "channel": name, "payload": payload, "digest": digest}
        for revision, one in zip(revisions, rendered, strict=True)
        for name, (payload, digest) in one.items()
    ]
    session.execute(insert(RenditionRow), renditions)
    session.execute(insert(Contributor), [{"item_id": r.item_id, "person_id": liaison, "since_revision": 1} for r in revisions])
    for stage_name, person in zip(STAGES, signers, strict=True):
        reviews = [
            {
                "item_id": r.item_id,
                "revision_id": r.id,
                "stage": stage_name,
                "decision": "approve",
                "person_id": person,
                "digest": r.digest,
                "at": now,
            }
            for r in revisions
        ]
        session.execute(insert(Review), reviews)


def start(stage: Stage, releases: Sequence[int], *, delay: timedelta = timedelta(0)) -> datetime:
    """Let the releases be due ``delay`` from now; returns that moment."""
    with stage.hub.context.work("system") as work:
        due = work.now + delay
        for part in (releases[i : i + 5000] for i in range(0, len(releases), 5000)):
            work.session.execute(update(Delivery).where(Delivery.release_id.in_(part)).values(due_at=due, next_at=due))
            work.session.execute(update(Release).where(Release.id.in_(part)).values(due_at=due))
        work.record(Verb.RELEASE_RESCHEDULED, "hub", {"releases": len(releases)})
        work.commit()
    return due

"""A small district for tests of the hub: one department, the media centre, a cast of different people, memory channels."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from itertools import count
from pathlib import Path

from sqlalchemy import Engine, select

from channels.base import Account, Channel, SiteIdentity, Surroundings
from channels.cache import MemoryCache
from channels.memory import MemoryPlatform, create
from hub.app import accounts, people, release, review, submit
from hub.app.context import Context, Policy
from hub.app.people import Caller
from hub.app.review import Statements
from hub.app.send import send_due
from hub.domain.content import Content
from hub.domain.item import STAGES, Role, Stage
from hub.domain.verbs import Verb
from hub.intake.files import FileStore
from hub.store.record import read_entries
from hub.store.tables import AreaRow, ColumnRow, Delivery, Department, GrantRow, Item, Person, Revision

CAST = {
    "li": ("minzheng", [(Role.LIAISON, "minzheng", "ABC")]),
    "ma": ("minzheng", [(Role.LIAISON, "minzheng", "ABC")]),
    "hu": ("minzheng", [(Role.DEPT_HEAD, "minzheng", "ABC")]),
    "chu": ("center", [(Role.FIRST_REVIEWER, "", "ABC")]),
    "fu": ("center", [(Role.SECOND_REVIEWER, "", "ABC")]),
    "zhong": ("center", [(Role.FINAL_REVIEWER, "", "ABC")]),
    "zhonga": ("center", [(Role.FINAL_REVIEWER, "", "A")]),
    "qian": ("center", [(Role.PUBLISHER, "", "ABC")]),
    "guan": ("center", [(Role.ADMINISTRATOR, "", "ABC")]),
    "both": ("center", [(Role.FIRST_REVIEWER, "", "ABC"), (Role.SECOND_REVIEWER, "", "ABC"), (Role.FINAL_REVIEWER, "", "ABC")]),
    "bian": ("center", [(Role.DUTY_EDITOR, "", "ABC"), (Role.FIRST_REVIEWER, "", "ABC"), (Role.SECOND_REVIEWER, "", "ABC")]),
}
"""username → (department, roles)."""
SIGNERS = {Stage.DEPT: "hu", Stage.FIRST: "chu", Stage.SECOND: "fu", Stage.FINAL: "zhong"}
_worlds = count(1)


@dataclass
class World:
    engine: Engine
    clock: Callable[[], datetime]
    folder: Path
    names: tuple[str, ...] = ("website", "feed", "wechat")
    policy: Policy = field(default_factory=Policy)
    context: Context = field(init=False)
    number: int = field(default_factory=lambda: next(_worlds))
    ids: Iterator[int] = field(default_factory=lambda: count(1))

    def __post_init__(self) -> None:
        self.context = self.context_with({name: self.channel(name) for name in self.names})
        self._seed()

    def context_with(self, channels: dict[str, Channel]) -> Context:
        return Context(
            self.engine,
            self.clock,
            FileStore(self.folder / "files"),
            channels,
            self.policy,
            new_id=lambda now: f"{now:%Y%m%d}-{next(self.ids):04d}",
        )

    def channel(self, name: str) -> Channel:
        site = SiteIdentity("云川区人民政府", "www.example.gov.cn", "3201150001", "http://127.0.0.1")
        around = Surroundings(site, FileStore(self.folder / "files"), MemoryCache(), self.folder / "site", self.folder / name, self.clock)
        return create(Account(self.account(name), "memory"), around)

    def account(self, name: str) -> str:
        return f"{name}-{self.number}"

    def platform(self, name: str) -> MemoryPlatform:
        """The platform behind a channel of this world."""
        return MemoryPlatform.named(self.account(name))

    def _seed(self) -> None:
        with self.context.work("system") as work:
            work.session.add_all(
                [
                    Department(slug="minzheng", name="区民政局", org_code="YC0000103"),
                    Department(slug="center", name="区融媒体中心", org_code="YC0000900", kind="centre"),
                    ColumnRow(slug="notices", name="通知公告", type="政策文件", description="通知公告", keywords="通知 公告"),
                    AreaRow(slug="elderly", name="养老服务"),
                ]
            )
            work.session.flush()
            departments = dict(work.session.execute(select(Department.slug, Department.id)).all())
            # Rows in one transaction: adding eleven people one by one would be most of every test's time.
            for username, (department, roles) in CAST.items():
                person = Person(username=username, name=username, department_id=departments[department], created_at=work.now)
                work.session.add(person)
                work.session.flush()
                work.session.add_all(
                    GrantRow(person_id=person.id, role=role, department_id=departments.get(where), grades=grades, given_at=work.now)
                    for role, where, grades in roles
                )
            work.record(Verb.HUB_SEEDED, "hub", {"by": "test"})
            work.commit()
        accounts.ensure(self.context)

    def caller(self, username: str) -> Caller:
        with self.context.reading() as session:
            return people.caller_by_name(session, username)

    def content(self, **changes: object) -> Content:
        base = Content(
            title="关于开展困难老年人家庭适老化改造的通知",
            body="<p>现将有关事项通知如下。</p>",
            kind="notice",
            department="minzheng",
            column="notices",
            area="elderly",
            formed_on=date(2026, 11, 16),
            summary="适老化改造补贴申请开始。",
            channels=self.names,
        )
        return replace(base, **changes)  # type: ignore[arg-type]

    def draft(self, by: str = "li", **changes: object) -> str:
        """A new item in state draft; returns its public id."""
        made = submit.create(self.context, self.caller(by), self.content(**changes))
        assert not [p for p in made.problems if p.blocking], made.problems
        return made.public_id

    def submitted(self, by: str = "li", **changes: object) -> str:
        item = self.draft(by, **changes)
        submit.submit(self.context, self.caller(by), item)
        return item

    def digest(self, item: str) -> str:
        return self.revision(item).digest

    def revision(self, item: str, number: int = 0) -> Revision:
        with self.context.reading() as session:
            row = self.item(item)
            query = select(Revision).where(Revision.item_id == row.id, Revision.number == (number or row.revision_no))
            return session.scalars(query).one()

    def item(self, item: str) -> Item:
        with self.context.reading() as session:
            return session.scalars(select(Item).where(Item.public_id == item)).one()

    def sign(self, item: str, stage: Stage, by: str = "") -> None:
        statements = Statements("可以公开", "不涉密，可以公开") if stage is Stage.DEPT else None
        review.sign(self.context, self.caller(by or SIGNERS[stage]), item, stage, digest=self.digest(item), statements=statements)

    def approved(self, **changes: object) -> str:
        item = self.submitted(**changes)
        for stage in STAGES:
            self.sign(item, stage)
        return item

    def released(self, due_at: datetime | None = None, offsets: dict[str, int] | None = None, **changes: object) -> str:
        item = self.approved(**changes)
        release.release(self.context, self.caller("qian"), item, due_at=due_at, offsets=offsets)
        return item

    def revised(self, item: str, by: str = "li", **changes: object) -> str:
        """A new revision of ``item``, approved and released."""
        submit.revise(self.context, self.caller(by), item, self.content(**changes))
        submit.submit(self.context, self.caller(by), item)
        for stage in STAGES:
            self.sign(item, stage)
        release.release(self.context, self.caller("qian"), item)
        return item

    def send(self, *channels: str) -> int:
        """Send everything that is due, website first; returns how many deliveries were claimed."""
        total = 0
        for channel in channels or self.names:
            while count := send_due(self.context, channel, "test"):
                total += count
        return total

    def deliveries(self, item: str) -> dict[tuple[str, str, int], Delivery]:
        """(channel, action, revision) → row."""
        with self.context.reading() as session:
            rows = session.scalars(select(Delivery).where(Delivery.item_id == self.item(item).id))
            return {(d.channel, d.action, d.revision_no): d for d in rows}

    def states(self, item: str) -> dict[str, str]:
        """``"wechat publish 1"`` → state."""
        return {f"{c} {a} {n}": d.state for (c, a, n), d in self.deliveries(item).items()}

    def recorded(self, verb: Verb, subject: str | None = None) -> list[dict[str, object]]:
        """Details of every entry of a verb, oldest first."""
        with self.context.reading() as session:
            return [dict(r.entry.details) for r in read_entries(session, limit=10_000, subject=subject, verb=verb.value)]


@contextmanager
def world(engine: Engine, clock: Callable[[], datetime], folder: Path, **settings: object) -> Iterator[World]:
    made = World(engine, clock, folder, **settings)  # type: ignore[arg-type]
    try:
        yield made
    finally:
        for name in made.names:
            MemoryPlatform.forget(made.account(name))
        engine.dispose()

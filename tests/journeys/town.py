"""A whole hub of real processes on this machine: Redis, web, worker, beat, both loopback platforms; and hands to hurt it."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

import redis
from sqlalchemy import func, select

from channels.wechat.platform_state import DAILY_QUOTAS
from hub.app import accounts, release, review, seal, submit
from hub.app.context import Context
from hub.app.importing import Line, import_lines
from hub.app.items import current_revision
from hub.app.seed import seed
from hub.app.verify import VerifyReport, verify
from hub.cli import embedded, journey
from hub.cli.demo import EXAMPLES
from hub.cli.shared import caller
from hub.domain.content import Content
from hub.domain.delivery import DeliveryState
from hub.domain.item import STAGES, ItemState, Stage
from hub.embedded.redis_server import RedisServer
from hub.embedded.supervisor import Supervisor
from hub.intake.district import load_district
from hub.intake.report import Refused, Taken
from hub.settings import Settings
from hub.store import upgrade
from hub.store.tables import Delivery, Item
from hub.wiring import Container
from tests.waiting import wait_until

CHANNELS = ("website", "feed", "wechat", "weibo")
HARMLESS_QUOTAS = 1_000_000


@dataclass
class Town:
    hub: Container
    plan: embedded.Plan
    supervisor: Supervisor
    redis: RedisServer
    data: Path

    # ------------------------------------------------------------------------------------------------ editorial work

    def bring_in(self, contents: list[tuple[str, Content]]) -> list[Line]:
        """Import (external reference, content) pairs as the departments' liaisons."""
        cast = journey.cast_of(self.hub)
        taken: list[Taken | Refused] = [Taken(f"{ref}.md", 0, ref, content) for ref, content in contents]
        return import_lines(self.hub.context, lambda department: caller(self.hub, cast.liaisons[department]), taken)

    def approve_and_release(self, line: Line, department: str) -> None:
        cast, context = journey.cast_of(self.hub), self.hub.context
        submit.submit(context, caller(self.hub, cast.liaisons[department]), line.public_id)
        digest = self.digest(line.public_id)
        for stage, name in zip(STAGES, (cast.heads[department], cast.first[0], cast.second[0], cast.final["A"]), strict=True):
            statements = journey.STATEMENTS if stage is Stage.DEPT else None
            review.sign(context, caller(self.hub, name), line.public_id, stage, digest=digest, statements=statements)
        release.release(context, caller(self.hub, cast.publisher), line.public_id, digest=digest)

    def digest(self, public_id: str) -> str:
        with self.hub.context.reading() as session:
            return current_revision(session, session.scalars(select(Item).where(Item.public_id == public_id)).one()).digest

    # ---------------------------------------------------------------------------------------------------- what one sees

    def states(self) -> Counter[tuple[str, str]]:
        """(channel, state) → how many."""
        with self.hub.context.reading() as session:
            rows = session.execute(select(Delivery.channel, Delivery.state, func.count()).group_by(Delivery.channel, Delivery.state))
            return Counter({(channel, state): count for channel, state, count in rows})

    def wait_final(self, seconds: float) -> Counter[tuple[str, str]]:
        """Wait until every delivery is delivered; returns the states either way."""
        done = {DeliveryState.DELIVERED.value}
        try:
            wait_until(lambda: {state for _, state in self.states()} <= done, timeout=seconds)
        except AssertionError:
            raise AssertionError(f"not final after {seconds:g} s: {dict(self.states())}") from None
        return self.states()

    def released(self) -> list[str]:
        with self.hub.context.reading() as session:
            return list(session.scalars(select(Item.public_id).where(Item.state == ItemState.RELEASED)))

    def on_wechat(self) -> Counter[str]:
        """Public id → how many articles a follower sees."""
        return self._count("wechat")

    def on_weibo(self) -> Counter[str]:
        return self._count("weibo")

    def _count(self, platform: str) -> Counter[str]:
        texts = self._texts(platform)
        return Counter({public_id: sum(f"/items/{public_id}/" in text for text in texts) for public_id in self.released()})

    def seen(self, platform: str, public_id: str) -> int:
        """How often an item's address stands among what a platform shows, from the platform's own books."""
        return sum(f"/items/{public_id}/" in text for text in self._texts(platform))

    def _texts(self, platform: str) -> list[str]:
        with closing(sqlite3.connect(self.data / "platforms" / f"{platform}.db")) as db:
            return platform_texts(db, platform)

    def verify(self) -> VerifyReport:
        key = seal.load_or_make_key(self.hub.key_file)
        seal.seal(self.hub.engine, key, self.hub.origin, self.data, self.hub.settings.site, self.hub.clock())
        kept = sorted((self.data / "checkpoints").glob("[0-9]*.txt"))
        return verify(self.hub.engine, checkpoints=kept, key=seal.verifier_key(key, self.hub.origin))

    def site_bytes(self) -> dict[str, bytes]:
        """Every public file of the website and the feeds."""
        site = self.hub.settings.site
        return {
            str(path.relative_to(site)): path.read_bytes()
            for path in sorted(site.rglob("*"))
            if path.is_file() and not str(path.relative_to(site)).startswith("record/")
        }

    # ----------------------------------------------------------------------------------------------------- hurting it

    def kill(self, name: str) -> None:
        """kill -9 one of the supervised processes; the supervisor starts it again."""
        pid = next(s.pid for s in self.supervisor.status() if s.name == name)
        assert pid is not None
        os.kill(pid, signal.SIGKILL)

    def flush_redis(self) -> None:
        with redis.Redis(unix_socket_path=str(self.redis.socket)) as client:
            client.flushall()

    def control(self, platform: str, path: str, body: dict[str, object]) -> None:
        """A control call to a loopback platform."""
        request = urllib.request.Request(self.plan.addresses[platform] + path, json.dumps(body).encode(), method="POST")
        with urllib.request.urlopen(request, timeout=10) as answer:
            assert answer.status == 200


def platform_texts(db: sqlite3.Connection, platform: str) -> list[str]:
    """What a follower can open now, one text a post."""
    if platform == "weibo":
        return [row[0] for row in db.execute("SELECT sent FROM post WHERE deleted IS NULL")]
    articles = [row[0] for row in db.execute("SELECT body FROM things WHERE kind = 'article'")]
    # Status 5 and 6: deleted by its author, banned by the platform.
    return [body for body in articles if json.loads(body)["status"] == 0]


@contextmanager
def town(folder: Path, *, ports: int, web: bool = False) -> Iterator[Town]:
    """Start everything in ``folder``; ``ports`` is the first of a range this test may use. Without ``web`` nobody serves pages."""
    data = folder / "data"
    plan = embedded.plan(data, ports)
    config = embedded.write_config(plan, EXAMPLES / "hub.toml", data / "hub.toml")
    with embedded.redis_server(data) as server:
        variables = embedded.environment(plan, data, config, server.url)
        with patch.dict(os.environ, variables), Supervisor(data / "logs", pause=0.2, longest_pause=1.0) as supervisor:
            hub = Container(Settings())
            upgrade.upgrade(hub.engine)
            seed(Context(hub.engine, hub.clock, hub.files), load_district(EXAMPLES / "district.toml"), "system")
            accounts.ensure(hub.context)
            for program in (*embedded.platform_programs(plan, data), *embedded.hub_programs(hub.settings, variables)):
                if web or program.name != "web":
                    supervisor.start(program)
            supervisor.wait_ready(timeout=120)
            made = Town(hub, plan, supervisor, server, data)
            made.control("wechat", "/_control/knobs", {"quotas": dict.fromkeys(DAILY_QUOTAS, HARMLESS_QUOTAS), "publish_delay": 0.2})
            made.control("weibo", "/_control/limits", {"daily_calls": HARMLESS_QUOTAS, "hourly_posts": HARMLESS_QUOTAS})
            try:
                yield made
            finally:
                hub.close()

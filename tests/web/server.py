"""The web application on a real socket, served by granian from a thread of this process: tests share its world and its clock."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import requests
from fastapi import FastAPI
from granian.constants import Interfaces
from granian.server.embed import Server

from hub.app import people
from hub.settings import Settings
from hub.web.app import create_app
from hub.web.ratelimit import Rate, Rates
from hub.wiring import Container
from tests.waiting import wait_until
from tests.web.described import Described
from tests.world import World

UNLIMITED = Rates(Rate(10_000, 100_000), Rate(10_000, 100_000), Rate(10_000, 100_000))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def serving(app: FastAPI) -> Iterator[str]:
    """Serve ``app``; yields its address."""
    port = free_port()
    loop = asyncio.new_event_loop()
    server: list[Server] = []

    async def serve() -> None:
        server.append(Server(app, address="127.0.0.1", port=port, interface=Interfaces.ASGI, log_enabled=False))
        await server[0].serve()

    def run() -> None:
        asyncio.set_event_loop(loop)
        loop.run_until_complete(serve())
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()

    thread = threading.Thread(target=run, name="web", daemon=True)
    thread.start()
    try:
        wait_until(lambda: _listens(port), what="the web server listens")
        yield f"http://127.0.0.1:{port}"
    finally:
        loop.call_soon_threadsafe(server[0].stop)
        thread.join(15)
        assert not thread.is_alive()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def container_for(world: World, folder: Path, redis_url: str = "") -> Container:
    """A container over the world's engine, clock and channels."""
    (folder / "site").mkdir(exist_ok=True)
    settings = Settings(data_dir=folder, site_dir=folder / "site", redis_url=redis_url or f"unix://{folder}/none.sock?db=0")
    made = Container(settings, world.clock)
    vars(made).update(context=world.context, engine=world.engine, files=world.context.files)
    return made


@dataclass
class Api:
    """A person at the API."""

    base: str
    token: str
    session: requests.Session = field(default_factory=requests.Session)

    def __call__(self, method: str, path: str, body: Any = None, /, **options: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {self.token}", **options.pop("headers", {})}
        address = path if path.startswith("http") else f"{self.base}{path if path.startswith('/') else '/api/v1/' + path}"
        return self.session.request(method, address, json=body, headers=headers, timeout=20, **options)

    def get(self, path: str, **options: Any) -> requests.Response:
        return self("GET", path, **options)

    def post(self, path: str, body: Any = None, /, **options: Any) -> requests.Response:
        return self("POST", path, body, **options)


@dataclass
class Web:
    """A world with its web server."""

    world: World
    base: str
    app: FastAPI
    folder: Path
    described: Described
    people: dict[tuple[str, str], Api] = field(default_factory=dict)

    def as_(self, username: str, scopes: str = "read write review release deliver audit") -> Api:
        """The API as this person, with a token of these scopes."""
        known = self.people.get((username, scopes))
        if known is None:
            token = people.issue_token(
                self.world.context, "system", username=username, scopes=scopes.split(), label="test", lasts=timedelta(days=30)
            )
            known = self.people[username, scopes] = Api(self.base, token)
            known.session.hooks["response"].append(self.described.check)
        return known

    def content(self, **changes: Any) -> dict[str, Any]:
        return self.world.content(**changes).to_json()

    def close(self) -> None:
        for person in self.people.values():
            person.session.close()


@contextmanager
def web_of(world: World, folder: Path, **options: Any) -> Iterator[Web]:
    redis_url = options.pop("redis_url", "")
    options.setdefault("rates", UNLIMITED)
    app = create_app(container_for(world, folder, redis_url), **options)
    with serving(app) as base:
        made = Web(world, base, app, folder, Described(app))
        try:
            yield made
        finally:
            made.close()

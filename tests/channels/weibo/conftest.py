"""A Weibo on loopback, its clock held in the hand, and accounts that publish to it."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from channels.base import Account, Surroundings
from channels.loopback import LoopbackServer, serving
from channels.weibo import Weibo, create
from channels.weibo.platform import TOKEN, UID, WeiboPlatform
from channels.weibo.platform_rules import Rules
from tests.channels.samples import surroundings
from tests.clock import FixedClock

RULES = Rules(domains=("yunchuan.example",))


@pytest.fixture
def platform(fixed_clock: FixedClock) -> Iterator[WeiboPlatform]:
    platform = WeiboPlatform(rules=RULES, clock=lambda: fixed_clock().timestamp())
    yield platform
    platform.close()


@pytest.fixture
def server(platform: WeiboPlatform) -> Iterator[LoopbackServer]:
    with serving(platform) as server:
        yield server


@pytest.fixture
def around(tmp_path: Path, fixed_clock: FixedClock) -> Surroundings:
    return surroundings(tmp_path, fixed_clock)


Accounts = Callable[..., Weibo]


@pytest.fixture
def account(server: LoopbackServer, around: Surroundings) -> Accounts:
    """``account(token=…, operator_ip=…)`` builds a channel to the loopback Weibo."""

    def build(token: str = TOKEN, api_base: str = "", **settings: Any) -> Weibo:
        given = {"operator_ip": "203.0.113.9", "uid": UID, "page_base": server.url, "read_timeout": 2.0, **settings}
        return create(Account("weibo-main", "weibo", api_base or server.url, given, {"access_token": token}), around)

    return build


@pytest.fixture
def weibo(account: Accounts) -> Weibo:
    return account()


@pytest.fixture
def free_port_url() -> str:
    """Address of a port on which nobody listens."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{sock.getsockname()[1]}"

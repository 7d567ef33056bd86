from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from channels import registry
from channels.base import Account
from channels.memory import Memory
from channels.registry import CHANNELS, Lazy, create_channel, limits_of
from tests.channels.samples import surroundings
from tests.clock import FixedClock

ROOT = Path(__file__).parents[2]


def test_an_account_becomes_a_channel(tmp_path: Path, fixed_clock: FixedClock) -> None:
    assert isinstance(create_channel(Account("a", "memory"), surroundings(tmp_path, fixed_clock)), Memory)


def test_an_unknown_kind_names_account_and_remedy(tmp_path: Path, fixed_clock: FixedClock) -> None:
    with pytest.raises(ValueError, match=r"渠道账号“主号”.*“douyin”不存在.*website、feed、wechat、weibo、memory"):
        create_channel(Account("主号", "douyin"), surroundings(tmp_path, fixed_clock))
    with pytest.raises(ValueError, match="douyin"):
        limits_of("douyin")


@pytest.mark.parametrize("kind", sorted(CHANNELS))
def test_limits_are_known_without_an_account(kind: str) -> None:
    assert limits_of(kind).batch >= 1


def test_a_broken_adapter_stops_nobody_else(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, fixed_clock: FixedClock) -> None:
    monkeypatch.setitem(registry.CHANNELS, "broken", Lazy("channels.no_such_adapter:create"))
    around = surroundings(tmp_path, fixed_clock)
    assert create_channel(Account("a", "memory"), around)
    with pytest.raises(ModuleNotFoundError, match="no_such_adapter"):
        create_channel(Account("b", "broken"), around)


def test_a_module_without_its_class_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(registry.CHANNELS, "nameless", Lazy("channels.memory:create"))
    with pytest.raises(ValueError, match="nameless"):
        limits_of("nameless")


def test_the_registry_loads_no_adapter_by_itself() -> None:
    code = "import sys, channels.registry; print([m for m in sys.modules if m.startswith('channels.')])"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30, cwd=ROOT).stdout.strip()
    assert loaded == "['channels.base', 'channels.registry']"

"""Channel accounts, the record and the site: what keepers and auditors type."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from channels.base import Health
from channels.memory import Memory, MemoryPlatform
from tests.architecture.sources import ROOT
from tests.cli.conftest import Hub

BY = ("--as", "administrator")


def test_an_account_is_paused_alone_and_starts_again_after_a_good_check(hub: Hub) -> None:
    assert {name: each["ok"] for name, each in hub.ok("channels", "check", "--json").json.items()} == dict.fromkeys(
        ("website", "feed", "wechat"), True
    )
    hub.ok("channels", "pause", "wechat", "--reason", "更换密钥", *BY)
    accounts = {a["channel"]: a for a in hub.ok("channels", "list", "--json").json}
    assert accounts["wechat"]["paused_at"]
    assert (accounts["wechat"]["reason"], accounts["feed"]["paused_at"]) == ("更换密钥", None)
    assert ["wechat", "停用"] in [row[:2] for row in hub.ok("channels", "list").lines]
    (item,) = hub.released("甲")
    hub.send()
    assert {c: hub.delivery(item, c)["state"] for c in ("website", "wechat")} == {"website": "delivered", "wechat": "planned"}
    assert ["wechat", "正常"] in [row[:2] for row in hub.ok("channels", "check", "wechat").lines]
    hub.send()
    assert hub.delivery(item, "wechat")["state"] == "delivered"


def test_one_bad_account_is_told_with_exit_code_1(public: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Memory, "check", lambda _self: Health(False, "access_token 已过期"))
    answer = public("channels", "check", "--json")
    assert (answer.code, answer.err) == (1, "")
    assert answer.json["wechat"] == {"ok": False, "message": "access_token 已过期", "expires_at": None, "used": {}, "quota": {}}
    assert answer.json["website"]["ok"] is True


def test_accounts_nobody_has(hub: Hub) -> None:
    for command in (["check", "telegram"], ["pause", "telegram", "--reason", "x", *BY]):
        answer = hub("channels", *command)
        assert answer.code == 2
        assert "没有渠道“telegram”，可选：website feed wechat" in answer.one_sentence()
    assert "没有办理此事项的权限" in hub("channels", "pause", "feed", "--reason", "x", "--as", "first-1").one_sentence()
    assert "--reason 不能为空" in hub("channels", "pause", "feed", "--reason", " ", *BY).one_sentence()


def test_the_record_is_verified_and_handed_out(hub: Hub, tmp_path: Path) -> None:
    hub.released("甲")
    export = tmp_path / "record.jsonl"
    assert str(export) in hub.ok("audit", "export", export).out
    assert hub.ok("audit", "export").out == export.read_text("utf-8")
    entries = [json.loads(line) for line in export.read_text("utf-8").splitlines()]
    # The setting-up is in the copied database; what came after is what this test did.
    report = hub.ok("audit", "verify", "--json").json
    assert (report["ok"], report["findings"]) == (True, [])
    assert report["size"] == len(entries) - 2
    assert len(report["root"]) == 64
    assert "记录完好" in hub.ok("audit", "verify").out
    independent = subprocess.run([sys.executable, ROOT / "docs" / "verify_record.py", export], capture_output=True, text=True, check=False)
    assert (independent.returncode, independent.stderr) == (0, "")
    assert "intact" in independent.stdout

    later = hub.ok("audit", "export", "--after", str(report["size"] - 3)).out.splitlines()
    assert len(later) == 3 + 2
    assert "--after 应在 0 与" in hub("audit", "export", "--after", "100000").one_sentence()
    assert "文件或目录不存在" in hub("audit", "export", tmp_path / "nowhere" / "x").one_sentence()


def test_a_changed_entry_is_named(hub: Hub) -> None:
    hub.released("甲")
    hub.ok("audit", "export", hub.folder / "kept.jsonl")
    with closing(sqlite3.connect(hub.data / "hub.db", isolation_level=None)) as db:
        for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'record_entries'").fetchall():
            db.execute(f"DROP TRIGGER {name}")
        db.execute(
            "UPDATE record_entries SET body = replace(body, '经审查，可以公开', '经审查，不可公开') WHERE body LIKE '%经审查，可以公开%'"
        )
    answer = hub("audit", "verify", "--json")
    assert (answer.code, answer.err) == (1, "")
    assert answer.json["ok"] is False
    assert answer.json["findings"]
    told = hub("audit", "verify")
    assert told.code == 1
    assert "第" in told.out


def test_the_site_is_built_again_to_the_same_bytes(public: Hub) -> None:
    public.released("甲", "乙")
    (gone,) = public.released("丙")
    public.send()
    public.ok("items", "withdraw", gone, "--reason", "有误", "--notice", "已撤下。", "--as", "publisher-1")
    public.send()
    before = public.site_files()
    assert any(name.startswith("items/") for name in before)
    told = public.ok("site", "rebuild")
    assert "3 件稿件" in told.out
    assert "改动 0 个文件；订阅源：改动 0 个文件" in told.out
    assert public.site_files() == before

    page = next(p for p in (public.data / "site" / "items").rglob("index.html"))
    page.write_text("wrong", "utf-8")
    (public.data / "site" / "feeds" / "all.atom.xml").unlink()
    public.ok("site", "rebuild")
    assert {name: data for name, (data, _) in public.site_files().items()} == {name: data for name, (data, _) in before.items()}
    assert MemoryPlatform.named("wechat").pushes()

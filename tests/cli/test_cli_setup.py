"""Database, district, people and tokens."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from hub.store.upgrade import newest
from tests.cli.conftest import Hub
from tests.postgres import PostgresServer


def test_a_hub_is_set_up_and_setting_it_up_again_changes_nothing(bare: Hub) -> None:
    assert (empty := bare("db", "current")).code == 1
    assert "（空）" in empty.out
    assert newest() in bare.ok("db", "upgrade").out
    assert newest() in bare.ok("db", "upgrade").out
    assert bare.ok("db", "current").out.count(newest()) == 2

    assert bare.ok("seed").out == "新增：单位 11，栏目 15，领域 27，人员 32\n"
    people = bare.ok("user", "list", "--json").json
    with closing(sqlite3.connect(bare.data / "hub.db")) as db:
        (entries,) = db.execute("SELECT count(*) FROM record_entries").fetchone()
    assert bare.ok("seed").out == "新增：单位 0，栏目 0，领域 0，人员 0\n"
    assert bare.ok("user", "list", "--json").json == people
    with closing(sqlite3.connect(bare.data / "hub.db")) as db:
        assert db.execute("SELECT count(*) FROM record_entries").fetchone() == (entries,)
    assert len({p["username"] for p in people}) == 32


def test_the_same_on_postgresql(bare: Hub, postgres_server: PostgresServer, monkeypatch: pytest.MonkeyPatch) -> None:
    postgres_server.execute('CREATE DATABASE "command_line"')
    monkeypatch.setenv("HUB_DATABASE_URL", postgres_server.url("command_line"))
    assert "请先运行 hub db upgrade" in bare("user", "list").one_sentence()
    bare.ok("db", "upgrade")
    bare.ok("seed")
    (item,) = bare.released("甲")
    bare.send()
    assert {d["state"] for d in bare.deliveries("--item", item)} == {"delivered"}
    assert bare.ok("audit", "verify", "--json").json["ok"] is True
    assert not (bare.data / "hub.db").exists()


def test_people_are_added_with_the_reach_of_their_role(hub: Hub) -> None:
    hub.ok("user", "add", "zhao", "--name", "赵一", "--department", "minzheng", "--role", "liaison")
    odd = hub.ok("user", "add", "sun", "--name", "[red]孙三[/]", "--department", "minzheng", "--role", "liaison")
    assert odd.out == "已新增 [red]孙三[/]（sun）\n"
    hub.ok("user", "add", "qian", "--name", "钱二", "--department", "rongmei", "--role", "publisher", "--role", "auditor")
    found = {p["username"]: p for p in hub.ok("user", "list", "--json").json}
    assert found["zhao"] == {"username": "zhao", "name": "赵一", "department": "区民政局", "roles": "信息员"}
    assert [found["qian"][k] for k in ("username", "name", "department", "roles")] in hub.ok("user", "list").lines
    (item,) = hub.take_in("甲")
    hub.approve(item)
    hub.ok("items", "release", item, "--as", "qian")


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["minzheng-liaison", "--name", "重名", "--department", "minzheng", "--role", "liaison"], 1, "已有人使用"),
        (["赵一", "--name", "赵一", "--department", "minzheng", "--role", "liaison"], 1, "用户名只能用英文字母"),
        (["zhao", "--name", "赵一", "--department", "nowhere", "--role", "liaison"], 1, "没有部门“nowhere”"),
        (["zhao", "--name", "赵一", "--department", "minzheng", "--role", "boss"], 2, "没有职责“boss”，可选：liaison"),
        (["zhao", "--name", "赵一", "--department", "minzheng", "--role", "final_reviewer", "--grades", "D"], 2, "没有审核级别“D”"),
        (["zhao", "--department", "minzheng", "--role", "liaison"], 2, "缺少 --name"),
    ],
)
def test_people_who_cannot_be_added(hub: Hub, arguments: list[str], code: int, says: str) -> None:
    answer = hub("user", "add", *arguments)
    assert answer.code == code
    assert says in answer.one_sentence()


def test_a_deputy_is_named_in_advance(hub: Hub) -> None:
    pair = ["--principal", "first-1", "--deputy", "editor", "--role", "first_reviewer", "--as", "administrator"]
    hub.ok("user", "deputy", *pair, "--from", "2036-01-01 09:00", "--until", "2036-01-08 09:00")
    late = hub("user", "deputy", *pair, "--from", "2020-01-01 09:00", "--until", "2036-01-08 09:00")
    assert "代审须事先指定" in late.one_sentence()


def test_a_token_is_shown_once_and_can_be_revoked(hub: Hub) -> None:
    token = hub.ok("token", "add", "minzheng-liaison", "--scope", "read", "--scope", "write", "--label", "报送接口").out.strip()
    assert token.startswith("dh_")
    (listed,) = hub.ok("token", "list", "--json").json
    assert (listed["username"], listed["label"], listed["scopes"], listed["revoked_at"]) == (
        "minzheng-liaison",
        "报送接口",
        ["read", "write"],
        None,
    )
    assert listed["expires_at"].endswith("Z")
    assert token not in hub.ok("token", "list").out
    assert token.encode() not in b"".join(p.read_bytes() for p in hub.data.glob("hub.db*"))
    hub.ok("token", "revoke", listed["id"])
    assert hub.ok("token", "list", "--json").json[0]["revoked_at"] is not None
    assert "已吊销" in hub("token", "revoke", listed["id"]).one_sentence()


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["nobody", "--scope", "read", "--label", "x"], 1, "没有用户“nobody”"),
        (["auditor", "--scope", "everything", "--label", "x"], 1, "没有这样的权限：everything，可用：read"),
        (["auditor", "--scope", "read", "--label", "x", "--days", "0"], 2, "--days 不能小于 1"),
    ],
)
def test_tokens_that_are_not_given(hub: Hub, arguments: list[str], code: int, says: str) -> None:
    answer = hub("token", "add", *arguments)
    assert answer.code == code
    assert says in answer.one_sentence()
    assert hub.ok("token", "list", "--json").json == []

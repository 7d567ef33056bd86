"""The editorial acts on the command line."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from hub.cli.printing import SHANGHAI
from tests.cli.conftest import SIGNERS, STATEMENTS, Hub


def test_from_draft_to_every_channel_and_back(public: Hub) -> None:
    (item,) = public.take_in("甲")
    assert public.state(item) == "draft"
    assert "已送部门审核" in public.ok("items", "submit", item, "--as", "minzheng-liaison").out
    for stage, who in SIGNERS:
        answer = public.ok("items", "sign", item, "--stage", stage, "--as", who, *(STATEMENTS if stage == "dept" else ()))
        assert "已签署" in answer.out
    assert "现为“待签发”" in answer.out
    public.ok("items", "release", item, "--as", "publisher-1")
    public.send()
    assert {d["channel"]: d["state"] for d in public.deliveries("--item", item)} == dict.fromkeys(
        ("website", "feed", "wechat"), "delivered"
    )
    page = public.data / "site" / "items" / item / "index.html"
    assert "关于甲事项的通知" in page.read_text("utf-8")

    told = public.ok("items", "withdraw", item, "--reason", "内容有误", "--notice", "该信息内容有误，已撤下。", "--as", "publisher-1")
    assert "website" in told.out
    public.send()
    assert public.state(item) == "withdrawn"
    assert not page.exists()
    assert any("该信息内容有误，已撤下。".encode() in data for data, _ in public.site_files().values())


def test_one_refused_item_does_not_stop_the_others(hub: Hub) -> None:
    good, foreign, last = hub.take_in("甲", "乙", "丙")
    hub.ok("items", "submit", foreign, "--as", "minzheng-liaison")
    answer = hub("items", "submit", good, foreign, "没有这一件", last, "--as", "minzheng-liaison")
    assert answer.code == 1
    assert [line.split()[0] for line in answer.out.splitlines()] == [good, last]
    assert [line.split("：")[0] for line in answer.err.splitlines()] == [f"✗ {foreign}", "✗ 没有这一件"]
    assert {hub.state(i) for i in (good, foreign, last)} == {"dept_review"}


def test_the_rules_hold_here_too(hub: Hub) -> None:
    (item,) = hub.take_in("甲")
    hub.ok("items", "submit", item, "--as", "minzheng-liaison")
    skipped = hub("items", "sign", item, "--stage", "final", "--as", "final-1")
    own = hub("items", "sign", item, "--stage", "dept", "--as", "minzheng-liaison", *STATEMENTS)
    unsaid = hub("items", "sign", item, "--stage", "dept", "--as", "minzheng-head")
    early = hub("items", "release", item, "--as", "publisher-1")
    for answer in (skipped, own, unsaid, early):
        assert answer.code == 1
        assert answer.one_sentence().startswith(f"{item}：")
    assert "未填写公开前审查和保密审查结论" in unsaid.err
    assert hub.state(item) == "dept_review"
    refused = [e for e in hub.ok("audit", "export").out.splitlines() if "act.refused" in e]
    assert len(refused) == 4


def test_an_item_is_returned_with_a_reason(hub: Hub) -> None:
    (item,) = hub.take_in("甲")
    hub.ok("items", "submit", item, "--as", "minzheng-liaison")
    by = ("--as", "minzheng-head")
    assert "可选：facts wording" in hub("items", "return", item, "--reason-code", "dislike", "--note", "改", *by).one_sentence()
    assert "未填写退回意见" in hub("items", "return", item, "--reason-code", "facts", "--note", " ", *by).one_sentence()
    hub.ok("items", "return", item, "--reason-code", "privacy", "--note", "请隐去身份证号", *by)
    assert hub.state(item) == "draft"


def test_a_release_is_planned_moved_and_cancelled(hub: Hub) -> None:
    (item,) = hub.take_in("甲")
    hub.approve(item)
    by = ("--as", "publisher-1")
    due = (datetime.now(UTC) + timedelta(days=3)).replace(second=0, microsecond=0)
    local = f"{due.astimezone(SHANGHAI):%Y-%m-%d %H:%M}"
    told = hub.ok("items", "release", item, "--at", local, "--offset", "wechat=600", *by)
    assert f"{local}:00（北京时间）发布" in told.out

    def planned() -> dict[str, datetime]:
        return {d["channel"]: datetime.fromisoformat(d["due"]) for d in hub.deliveries("--item", item) if d["state"] == "planned"}

    assert planned() == {"website": due, "feed": due, "wechat": due + timedelta(seconds=600)}
    later = due + timedelta(hours=2)
    hub.ok("items", "reschedule", item, "--at", later.isoformat(), *by)
    assert planned()["wechat"] == later + timedelta(seconds=600)
    hub.send()
    assert {d["state"] for d in hub.deliveries("--item", item)} == {"planned"}

    assert hub("items", "cancel", item, *by).code == 2
    assert "--reason 不能为空" in hub("items", "cancel", item, "--reason", "  ", *by).one_sentence()
    hub.ok("items", "cancel", item, "--reason", "改期另行通知", *by)
    assert hub.state(item) == "approved"
    assert planned() == {}


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["release", "x", "--at", "明天九点", "--as", "publisher-1"], 2, "“明天九点”不是时间，请写成 2026-11-20 09:00（北京时间）"),
        (["release", "x", "--offset", "weibo=soon", "--as", "publisher-1"], 2, "应写成 渠道=秒数"),
        (["submit", "x", "--as", "nobody"], 1, "没有用户“nobody”"),
        (["submit", "x"], 2, "缺少 --as"),
        (["sign", "x", "--stage", "zeroth", "--as", "first-1"], 2, "--stage 只能是 'dept', 'first', 'second', 'final'"),
        (["withdraw", "x", "--reason", "有误", "--notice", "已撤下", "--as", "publisher-1"], 1, "x"),
        (["list", "--state", "lost"], 2, "没有状态“lost”，可选：draft"),
        (["list", "--limit", "many"], 2, "--limit 应为整数"),
        (["list", "--colour"], 2, "没有选项 --colour"),
        (["publish", "x"], 2, "没有命令“publish”"),
    ],
)
def test_what_is_wrong_with_a_call(hub: Hub, arguments: list[str], code: int, says: str) -> None:
    answer = hub("items", *arguments)
    assert answer.code == code
    assert says in answer.one_sentence()


def test_a_time_that_has_passed_is_refused(hub: Hub) -> None:
    (item,) = hub.take_in("甲")
    hub.approve(item)
    assert "发布时间已过" in hub("items", "release", item, "--at", "2020-01-01 09:00", "--as", "publisher-1").one_sentence()


def test_the_list_can_be_narrowed(hub: Hub) -> None:
    first, second = hub.take_in("甲", "乙")
    hub.ok("items", "submit", first, "--as", "minzheng-liaison")
    assert [i["id"] for i in hub.ok("items", "list", "--state", "draft", "--json").json] == [second]
    assert len(hub.ok("items", "list", "--limit", "1", "--json").json) == 1
    head, *rows = hub.ok("items", "list").lines
    assert head == ["编号", "索引号", "标题", "状态", "版本", "变动时间（北京时间）"]
    assert {(row[0], row[3]) for row in rows} == {(first, "部门审核"), (second, "草稿")}

"""What went where, and what a person may do about it."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from channels.base import RefusalClass, Refused, Unavailable, Unknown
from channels.memory import MemoryPlatform
from tests.cli.conftest import Hub

BY = ("--as", "publisher-1")
WHY = ("--reason", "已电话核实")


def platform() -> MemoryPlatform:
    return MemoryPlatform.named("wechat")


def test_the_list_and_its_filters(public: Hub) -> None:
    platform().plan("push", Unknown("没有应答"))
    first, second = public.released("甲", "乙")
    public.send()
    every = public.deliveries()
    assert len(every) == 6
    assert [d["needs_person"] for d in every] == sorted((d["needs_person"] for d in every), reverse=True)
    assert {d["item"] for d in public.deliveries("--item", second)} == {second}
    assert [d["channel"] for d in public.deliveries("--channel", "feed")] == ["feed", "feed"]
    (doubtful,) = public.deliveries("--state", "unknown")
    assert (doubtful["channel"], doubtful["reason"]) == ("wechat", "没有应答")
    assert len(public.deliveries("--limit", "2")) == 2
    page = public.delivery(first, "website")
    assert page["url"].endswith(f"/items/{first}/")
    assert page["due"].endswith("Z")
    head, *rows = public.ok("deliveries").lines
    assert head == ["编号", "稿件", "渠道", "动作", "版本", "状态", "计划（北京时间）", "次数", "链接／说明"]
    assert [str(page["id"]), first, "website", "发布", "1", "已送达"] in [row[:6] for row in rows]
    assert page["url"] in {row[8] for row in rows}


def test_every_attempt_is_shown_with_its_evidence(hub: Hub) -> None:
    platform().plan("push", Unavailable("平台维护中", timedelta(seconds=0)))
    (item,) = hub.released("甲")
    hub.send()
    number = hub.delivery(item, "wechat")["id"]
    shown = hub.ok("deliveries", "show", number, "--json").json
    assert shown["delivery"]["id"] == number
    assert isinstance(shown["delivery"]["ref"], dict)
    assert [a["outcome"] for a in shown["attempts"]][:1] == ["Unavailable"]
    page = hub.ok("deliveries", "show", hub.delivery(item, "website")["id"])
    assert page.out.startswith(f"投递 {hub.delivery(item, 'website')['id']}：website 发布，已送达")
    assert page.lines[2][:2] == ["发送", "1"]
    assert "没有编号为 99 的投递" in hub("deliveries", "show", "99").one_sentence()


def test_a_refused_delivery_is_sent_again(hub: Hub) -> None:
    platform().plan("push", Refused("标题含有不支持的字符", RefusalClass.CONTENT))
    (item,) = hub.released("甲")
    hub.send()
    number = hub.delivery(item, "wechat")["id"]
    assert [d["id"] for d in hub.deliveries("--needs-person")] == [number]
    assert "待人工处理：标题含有不支持的字符" in hub.ok("deliveries", "--needs-person").out
    hub.ok("deliveries", "retry", number, *WHY, *BY)
    hub.send("wechat")
    assert hub.delivery(item, "wechat")["state"] == "delivered"
    again = hub("deliveries", "retry", number, *WHY, *BY)
    assert again.code == 1
    again.one_sentence()
    assert len(platform().posts) == 1


def test_a_doubtful_delivery_is_looked_at_never_sent_again(hub: Hub) -> None:
    platform().plan("push", Unknown("没有应答"), apply=True)
    (item,) = hub.released("甲")
    hub.send("website", "feed", "wechat")
    number = hub.delivery(item, "wechat")["id"]
    assert "请先核实" in hub("deliveries", "retry", number, *WHY, *BY).one_sentence()
    told = hub.ok("deliveries", "reconcile", number, *WHY, *BY)
    assert "已送达" in told.out
    assert len(platform().pushes()) == 1
    assert "需要核实" in hub("deliveries", "reconcile", number, *WHY, *BY).one_sentence()


@pytest.mark.parametrize("there", [True, False])
def test_a_person_decides_what_the_platform_does_not_say(hub: Hub, there: bool) -> None:
    platform().plan("push", Unknown("没有应答"), apply=there)
    (item,) = hub.released("甲")
    hub.send()
    number = hub.delivery(item, "wechat")["id"]
    assert "请二选一" in hub("deliveries", "resolve", number, *WHY, *BY).one_sentence()
    assert "请二选一" in hub("deliveries", "resolve", number, "--published", "x", "--not-published", *WHY, *BY).one_sentence()
    if there:
        hub.ok("deliveries", "resolve", number, "--published", "https://weixin.example/s/1", *WHY, *BY)
        assert hub.delivery(item, "wechat")["url"] == "https://weixin.example/s/1"
    else:
        hub.ok("deliveries", "resolve", number, "--not-published", *WHY, *BY)
        hub.send("wechat")
    assert hub.delivery(item, "wechat")["state"] == "delivered"
    assert len(platform().posts) == 1


def test_a_delivery_is_given_up(hub: Hub) -> None:
    platform().plan("push", Refused("标题含有不支持的字符", RefusalClass.CONTENT))
    (item,) = hub.released("甲")
    hub.send()
    number = hub.delivery(item, "wechat")["id"]
    hub.ok("deliveries", "cancel", number, *WHY, *BY)
    given_up = hub.delivery(item, "wechat")
    assert (given_up["state"], given_up["needs_person"]) == ("cancelled", False)


def test_each_needs_a_reason_and_a_right_and_is_recorded(hub: Hub) -> None:
    platform().plan("push", Unknown("没有应答"))
    (item,) = hub.released("甲")
    hub.send()
    number = hub.delivery(item, "wechat")["id"]
    for command in ("retry", "reconcile", "resolve", "cancel"):
        more = ("--not-published",) if command == "resolve" else ()
        assert "缺少 --reason" in hub("deliveries", command, number, *more, *BY).one_sentence()
        assert "--reason 不能为空" in hub("deliveries", command, number, "--reason", " ", *more, *BY).one_sentence()
        assert "没有办理此事项的权限" in hub("deliveries", command, number, *WHY, *more, "--as", "minzheng-liaison").one_sentence()
    hub.ok("deliveries", "resolve", number, *WHY, "--not-published", *BY)
    told = [json.loads(json.loads(line).get("body", "{}")) for line in hub.ok("audit", "export").out.splitlines()]
    resolved = next(e for e in told if e.get("verb") == "delivery.resolved")
    assert (resolved["actor"], resolved["details"]["reason"]) == ("person:publisher-1", "已电话核实")
    assert len([e for e in told if e.get("verb") == "act.refused" and e["subject"] == f"delivery:{number}"]) == 4


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--state", "lost"], "没有状态“lost”，可选：planned"),
        (["--channel", "telegram"], "没有渠道“telegram”，可选：website feed wechat"),
        (["show", "first"], "<delivery> 应为整数"),
        (["--limit", "0"], "--limit 不能小于 1"),
    ],
)
def test_filters_that_mean_nothing(hub: Hub, arguments: list[str], says: str) -> None:
    answer = hub("deliveries", *arguments)
    assert answer.code == 2
    assert says in answer.one_sentence()


def test_nothing_yet(hub: Hub) -> None:
    assert hub.deliveries() == []
    assert len(hub.ok("deliveries").lines) == 1

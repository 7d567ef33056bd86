"""Whatever breaks, and wherever: the account ends up holding each article exactly once."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from channels.base import Absent, Action, Live, Ref, RefusalClass, Unavailable, Unknown
from tests.channels.hubloop import Delivery, live, refused
from tests.channels.samples import a_picture
from tests.channels.wechat.conftest import Bench

FAULTS: dict[str, dict[str, Any]] = {
    "apply_and_drop": {"kind": "apply_and_drop"},
    "drop": {"kind": "drop"},
    "late": {"kind": "late", "delay": 0.3},
    "cut_headers": {"kind": "cut_headers"},
    "429": {"kind": "status", "status": 429, "retry_after": "7"},
    "500": {"kind": "status", "status": 500},
    "500 applied": {"kind": "status", "status": 500, "apply": True},
    "busy": {"kind": "business", "code": -1},
    "busy applied": {"kind": "business", "code": -1, "apply": True},
    "unheard-of": {"kind": "business", "code": 123456},
    "unheard-of applied": {"kind": "business", "code": 123456, "apply": True},
    "per minute": {"kind": "business", "code": 45011},
    "invalid_json": {"kind": "invalid_json"},
    "kill_token": {"kind": "kill_token"},
}
PUBLISH = ("stable_token", "media/uploadimg", "material/add_material", "draft/add", "freepublish/submit", "freepublish/get")
MASS = ("message/mass/sendall", "message/mass/get")
LOOKS = ("draft/batchget", "draft/get", "freepublish/batchget")


def hurried(fault: str) -> dict[str, float]:
    """Only where an answer is to come late, so that a slow machine is no fault."""
    return {"read_timeout": 0.15} if fault == "late" else {}


def illustrated(bench: Bench, mode: str = "publish", name: str = "2026-000312", **settings: float) -> Delivery:
    picture = a_picture(bench.around.files)  # type: ignore[arg-type]
    body = f'<p>正文</p><img src="file:{picture.file.sha256}" alt="图">'
    return bench.delivery(bench.channel(mode=mode, **settings), body_html=body, pictures=(picture,), public_id=name)


@pytest.mark.parametrize("call", PUBLISH + MASS)
def test_exactly_once(bench: Bench, call: str, fresh_cache: Any) -> None:
    bench.platform.knobs.mass_per_day = len(FAULTS)
    for number, fault in enumerate(FAULTS):
        bench.around = fresh_cache(bench.around)  # so that every call is made again
        delivery = illustrated(bench, "mass" if call in MASS else "publish", f"2026-{number}", **hurried(fault))
        bench.platform.fail(path=f"/cgi-bin/{call}", **FAULTS[fault])
        assert isinstance(delivery.run(), Live), (fault, delivery.outcomes)
        shown = [a["url"] for a in bench.articles()]
        assert shown.count(delivery.publication.url) == 1, (fault, delivery.outcomes)
        assert bench.drafts() == [], fault
        assert bench.platform.faults.pop().times == 0, fault
    assert len(bench.shown()) == len(FAULTS)


@pytest.mark.parametrize("fault", ["apply_and_drop", "drop", "invalid_json", "500 applied"])
@pytest.mark.parametrize("call", ["freepublish/submit", "freepublish/get"])
def test_exactly_once_when_the_draft_leaves_late(bench: Bench, call: str, fault: str) -> None:
    bench.platform.knobs.consume_at = "finish"
    bench.platform.knobs.publish_delay = 300
    bench.platform.fail(path=f"/cgi-bin/{call}", **FAULTS[fault])
    live(illustrated(bench).run())
    assert len(bench.articles()) == 1


@pytest.mark.parametrize("fault", ["apply_and_drop", "drop", "busy", "kill_token", "invalid_json"])
@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("call", ["draft/add", "freepublish/submit"])
def test_exactly_once_when_the_look_breaks_too(bench: Bench, call: str, look: str, fault: str) -> None:
    bench.platform.fail("apply_and_drop", f"/cgi-bin/{call}")
    bench.platform.fail(path=f"/cgi-bin/{look}", **FAULTS[fault])
    live(illustrated(bench).run())
    assert len(bench.articles()) == 1
    assert bench.drafts() == []


@pytest.mark.parametrize("call", ["freepublish/getarticle", "freepublish/delete", "freepublish/get", "freepublish/submit", "draft/add"])
def test_a_correction_ends_with_the_new_article_alone(bench: Bench, call: str) -> None:
    bench.platform.knobs.quotas["/cgi-bin/freepublish/delete"] = 100
    for number, fault in enumerate(["apply_and_drop", "drop", "late", "busy applied", "busy", "unheard-of applied"]):
        first = bench.delivery(public_id=f"2026-{number}")
        live(first.run())
        bench.platform.fail(path=f"/cgi-bin/{call}", **FAULTS[fault])
        first.channel = bench.channel(**hurried(fault))
        second = first.then(Action.CORRECT, replace(first.publication, revision=2, change_note="更正"))
        assert isinstance(second.run(attempts=6), Live), (fault, second.outcomes)
        ours = [a for a in bench.articles() if a["url"] == first.publication.url]
        assert sorted((a["title"][:2], a["status"]) for a in ours) == [("云川", 5), ("更正", 0)], (fault, second.outcomes)


@pytest.mark.parametrize("mode", ["publish", "mass", "draft"])
def test_taking_back_survives(bench: Bench, mode: str) -> None:
    faults = ["apply_and_drop", "drop", "cut_headers", "429", "500 applied", "busy", "unheard-of applied", "kill_token"]
    bench.platform.knobs.mass_per_day = len(faults)
    bench.platform.knobs.quotas["/cgi-bin/freepublish/delete"] = 100
    path = {"publish": "freepublish/delete", "mass": "message/mass/delete", "draft": "draft/delete"}[mode]
    for number, fault in enumerate(faults):
        first = bench.delivery(bench.channel(mode=mode), public_id=f"2026-{number}")
        live(first.run())
        bench.platform.fail(path=f"/cgi-bin/{path}", **FAULTS[fault])
        gone = first.then(Action.WITHDRAW)
        outcome = gone.run()
        for _ in range(3):
            if isinstance(outcome, Live):  # a look saw it still standing: the hub asks again
                outcome = gone.run()
        assert isinstance(outcome, Absent), (fault, gone.outcomes)
        assert bench.shown() == []
        assert bench.drafts() == []


@pytest.mark.parametrize("stored", [True, False])
@pytest.mark.parametrize(
    ("mode", "step"), [(m, s) for m, steps in (("publish", 4), ("mass", 4), ("draft", 3)) for s in range(1, steps + 1)]
)
def test_killed_at_every_step(bench: Bench, mode: str, step: int, stored: bool) -> None:
    """``keep`` dies once, before or after the hub's database has the ref."""
    delivery = illustrated(bench, mode)
    kept: list[Ref] = [{}]

    def die(ref: Ref) -> None:
        kept.append(dict(ref))
        if len(kept) == step + 1:
            if not stored:
                delivery.ref = dict(kept[-2])
            raise SystemError("killed")

    delivery.on_keep = die
    live(delivery.run())
    assert len(kept) > step, "the step was never reached"
    assert len(bench.articles()) == (0 if mode == "draft" else 1)
    assert len(bench.drafts()) == (1 if mode == "draft" else 0)


def test_losing_the_cache_costs_only_calls(bench: Bench, fresh_cache: Any) -> None:
    delivery = illustrated(bench)
    bench.platform.fail("drop", "/cgi-bin/freepublish/submit")
    assert isinstance(delivery.settle(delivery.send()), Absent)
    bench.around = fresh_cache(bench.around)
    delivery.channel = bench.channel()
    live(delivery.run())
    assert len(bench.articles()) == 1


def test_absence_needs_two_looks_well_apart(bench: Bench) -> None:
    delivery = bench.delivery()
    bench.platform.fail("drop", "/cgi-bin/freepublish/submit")
    assert isinstance(delivery.send(), Unknown)
    for seconds in (0, 1, 590):
        bench.clock.advance(seconds=seconds)
        assert isinstance(delivery.look(), Unknown)
    bench.clock.advance(seconds=10)
    assert isinstance(delivery.look(), Absent)
    assert delivery.ref["media_id"]


def test_an_earlier_look_proves_nothing_about_a_later_send(bench: Bench) -> None:
    bench.platform.knobs.consume_at = "finish"
    bench.platform.knobs.publish_delay = 300
    delivery = bench.delivery()
    bench.platform.fail("drop", "/cgi-bin/freepublish/submit")
    assert isinstance(delivery.settle(delivery.send()), Absent)

    def die(ref: Ref) -> None:
        if "publish_id" in ref:
            delivery.ref = {key: value for key, value in ref.items() if key != "publish_id"}
            raise SystemError("killed before it was stored")

    delivery.on_keep = die
    delivery.send()
    delivery.on_keep = lambda _ref: None
    first = delivery.look()
    assert isinstance(first, Unknown)
    live(delivery.settle(first))
    assert len(bench.articles()) == 1


def test_an_older_draft_with_the_same_words_is_not_ours(bench: Bench) -> None:
    live(bench.delivery(bench.channel(mode="draft")).run())
    bench.clock.advance(hours=1)
    delivery = bench.delivery()
    bench.platform.fail("drop", "/cgi-bin/draft/add")
    live(delivery.run())
    assert len(bench.articles()) == 1
    assert len(bench.drafts()) == 1


@pytest.mark.parametrize("call", ["freepublish/submit", "draft/add"])
def test_a_doubtful_send_is_found_behind_many_later_ones(bench: Bench, call: str) -> None:
    """A killed worker's lease runs minutes, and a busy account sends more than the listing's first pages in that time."""
    delivery = bench.delivery()
    bench.platform.fail("apply_and_drop", f"/cgi-bin/{call}")
    assert isinstance(delivery.send(), Unknown)
    other = bench.channel(mode="publish" if call == "freepublish/submit" else "draft")
    for number in range(70):
        bench.clock.advance(seconds=1)
        bench.delivery(other, title=f"另一篇 {number}").send()
    bench.clock.advance(minutes=1)
    live(delivery.run())
    assert sum(a["title"] == delivery.publication.title for a in bench.articles()) == 1


def test_a_listing_that_does_not_reach_back_far_enough_proves_nothing(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("channels.wechat.find.PAGES", 1)
    delivery = bench.delivery()
    bench.platform.fail("apply_and_drop", "/cgi-bin/draft/add")
    assert isinstance(delivery.send(), Unknown)
    other = bench.channel(mode="draft")
    for number in range(30):
        bench.clock.advance(seconds=1)
        bench.delivery(other, title=f"另一篇 {number}").send()
    for _ in range(5):
        bench.clock.advance(hours=1)
        outcome = delivery.look()
        assert isinstance(outcome, Unknown), "absence was not proved, so nothing may be sent again"
        assert "未覆盖" in outcome.why


def test_a_draft_that_a_person_published_meanwhile_is_not_sent_again(bench: Bench) -> None:
    delivery = bench.delivery()
    bench.platform.fail("business", "/cgi-bin/freepublish/submit", code=45011)
    assert isinstance(delivery.send(), Unavailable)
    by_hand = bench.delivery()
    by_hand.ref = {"media_id": delivery.ref["media_id"]}
    live(by_hand.run())
    assert isinstance(delivery.send(), Unknown)
    assert live(delivery.settle(delivery.look())).url == by_hand.ref["url"]
    assert len(bench.articles()) == 1


@pytest.mark.parametrize("call", ["freepublish/submit", "draft/add"])
@pytest.mark.parametrize("mode", ["publish", "draft"])
def test_a_correction_right_after_is_not_taken_for_the_article_it_corrects(bench: Bench, mode: str, call: str) -> None:
    first = bench.delivery(bench.channel(mode=mode), title="题" * 32)  # no room for 更正｜: both have one title
    live(first.run())
    now = bench.clock()
    second = first.then(Action.CORRECT, replace(first.publication, revision=2, change_note="更正"))
    bench.clock.set(now)
    bench.platform.fail("drop", f"/cgi-bin/{call}")
    live(second.run())
    if mode == "publish":
        assert sorted(a["status"] for a in bench.articles()) == [0, 5]
        assert second.ref["article_id"] != first.ref["article_id"]
    else:
        assert [d["media_id"] for d in bench.drafts()] == [second.ref["media_id"]]
        assert second.ref["media_id"] != first.ref["media_id"]


def test_a_secret_that_is_wrong_stops_the_account(bench: Bench) -> None:
    bench.platform.secret = "changed-in-the-console"
    outcome = refused(bench.delivery().send())
    assert outcome.kind is RefusalClass.PERMISSION
    assert outcome.code == "40125"


def test_a_token_refused_twice_stops_the_account(bench: Bench) -> None:
    bench.platform.fail("business", "/cgi-bin/draft/add", code=40001, times=2)
    outcome = refused(bench.delivery().send())
    assert outcome.kind is RefusalClass.TOKEN
    assert bench.calls("/cgi-bin/draft/add") == 2


def test_a_platform_that_is_away_means_nothing_happened(bench: Bench) -> None:
    delivery = bench.delivery()
    live(delivery.run())
    away = bench.delivery(public_id="2026-2")
    bench.server.socket.close()
    bench.server.shutdown()
    outcome = away.send()
    assert isinstance(outcome, Unavailable)


def test_nothing_recorded_holds_a_secret(bench: Bench) -> None:
    delivery = illustrated(bench)
    bench.platform.fail("kill_token", "/cgi-bin/draft/add")
    bench.platform.fail("business", "/cgi-bin/freepublish/get", code=-1)
    live(delivery.run())
    tokens = [key for key, _, _ in bench.platform.desk.store.newest("token")]
    shown = repr(delivery.exchanges) + repr(delivery.outcomes) + repr(delivery.ref)
    assert len(delivery.exchanges) > 6
    for secret in (bench.platform.secret, *tokens):
        assert secret not in shown
    assert "access_token=***" in shown

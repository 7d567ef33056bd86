"""The questions every channel must answer, whatever it publishes to.

A new channel joins by one line in ``channels.registry`` and one bench in ``tests/channels/benches.py``; a channel kept
elsewhere subclasses ``ChannelContract`` and gives it a ``bench`` fixture.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from datetime import timedelta
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from channels.base import Absent, Accepted, Action, Limits, Live, Rendition, Unavailable, Unknown
from channels.loopback import FaultKind
from channels.registry import CHANNELS, create_channel, limits_of
from tests.channels.benches import Bench, account
from tests.channels.hubloop import Delivery, live
from tests.channels.samples import FolderFiles, a_picture, a_publication, surroundings
from tests.clock import FixedClock

ROOT = Path(__file__).parents[2]
NOTE = "报名截止时间更正为12月5日。"
REVISED = a_publication(revision=2, change_note=NOTE, wording={"weibo": {"text": f"【更正】{NOTE}"}})
LAPSES = [FaultKind.APPLY_AND_DROP, FaultKind.DROP, FaultKind.CUT_HEADERS, FaultKind.INVALID_JSON]


def speaks_chinese(text: str) -> bool:
    return bool(re.search(r"[\u4e00-\u9fff]{2}", text))


def print_digests(folder: str) -> None:
    """Format the sample for every kind, as another process does; one line of JSON."""
    made = {}
    for kind in CHANNELS:
        around = surroundings(Path(folder) / kind, FixedClock())
        made[kind] = create_channel(account(kind, "http://127.0.0.1:9"), around).format(a_publication()).digest
    sys.stdout.write(json.dumps(made))


@lru_cache
def digests_elsewhere() -> dict[str, str]:
    """Digests made by a process with another hash seed and another time zone."""
    with TemporaryDirectory() as folder:
        ran = subprocess.run(
            [sys.executable, "-c", f"from tests.channels.contract import print_digests; print_digests({folder!r})"],
            env={**os.environ, "PYTHONHASHSEED": "4242", "TZ": "America/New_York"},
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    assert ran.returncode == 0, ran.stderr
    return dict(json.loads(ran.stdout))


class ChannelContract:
    """Subclass me with a fixture ``bench``."""

    # ------------------------------------------------------------------------------------------------------- format

    def test_format_is_pure(self, bench: Bench) -> None:
        channel, publication = bench.channel(), a_publication()
        first = channel.format(publication)
        bench.clock.advance(days=40)
        again = bench.channel().format(publication)
        assert first.canonical == again.canonical
        assert first.findings == again.findings
        assert publication == a_publication()
        assert bench.platform is None or not bench.platform.log

    def test_format_gives_the_same_bytes_in_any_process(self, bench: Bench) -> None:
        """Sets, hashes and the machine's time zone must not decide anything."""
        assert bench.channel().format(a_publication()).digest == digests_elsewhere()[bench.kind]

    def test_the_payload_is_plain_json(self, bench: Bench) -> None:
        made = bench.channel().format(a_publication())
        copy = Rendition(made.channel, json.loads(json.dumps(made.payload)), made.findings)
        assert made.channel == bench.kind
        assert copy.digest == made.digest

    def test_a_changed_text_changes_the_digest(self, bench: Bench) -> None:
        channel = bench.channel()
        assert channel.format(a_publication(title="另一个标题")).digest != channel.format(a_publication()).digest

    def test_what_is_too_long_is_found_and_never_cut(self, bench: Bench) -> None:
        """A limit that only a person can keep blocks the review; the words stay whole."""
        title = "关于" + "很长很长" * 60 + "的公告"
        made = bench.channel().format(a_publication(title=title))
        assert title in made.canonical.decode()
        limits = bench.channel().limits.lengths
        assert made.blocked == bool({"title", "text"} & set(limits))
        for finding in made.findings:
            assert speaks_chinese(finding.message)
            assert finding.field
            assert finding.code

    def test_a_picture_is_named_by_its_content(self, bench: Bench) -> None:
        assert isinstance(bench.around.files, FolderFiles)
        picture = a_picture(bench.around.files)
        body = f'<p>公益性岗位人员26名</p><p><img src="file:{picture.file.sha256}" alt="办理流程图"></p>'
        made = bench.channel().format(a_publication(pictures=(picture,), body_html=body))
        # The feed names no files of its own: it points at the website's.
        assert picture.file.sha256 in made.canonical.decode()

    # --------------------------------------------------------------------------------------------- publish, once only

    def test_publishing_shows_it_once(self, bench: Bench) -> None:
        delivery = bench.delivery()
        outcome = live(delivery.run())
        assert len(bench.shown(delivery.publication)) == 1
        assert outcome.url
        assert json.loads(json.dumps(outcome.ref)) == outcome.ref

    def test_pushing_twice_is_one_post(self, bench: Bench) -> None:
        """With the ref of the first push. A push that was lost with its ref is looked for before anything is sent."""
        delivery = bench.delivery()
        live(delivery.run())
        live(delivery.settle(delivery.send()))
        assert len(bench.shown(delivery.publication)) == 1

    def test_a_crash_after_the_push_is_found_by_looking(self, bench: Bench) -> None:
        """The worker dies before it can settle; another one, with its own instance, looks."""
        kept: list[dict[str, object]] = [{}]
        delivery = bench.delivery()
        delivery.on_keep = lambda ref: kept.append(dict(ref))
        delivery.send()
        delivery.ref, delivery.channel = dict(kept[-1]), bench.channel()  # type: ignore[arg-type]
        bench.clock.advance(delivery.channel.limits.lease)
        outcome = delivery.look()
        assert isinstance(outcome, Live | Accepted), outcome
        live(delivery.settle(outcome))
        assert len(bench.shown(delivery.publication)) == 1

    def test_nothing_is_there_before_it_is_sent(self, bench: Bench) -> None:
        delivery = bench.delivery()
        delivery.job()
        bench.clock.advance(minutes=10)
        outcome = delivery.settle(delivery.look())
        assert isinstance(outcome, Absent), outcome
        assert bench.shown(delivery.publication) == []

    @pytest.mark.parametrize("lapse", LAPSES)
    def test_a_lapse_of_the_platform_is_no_second_post(self, bench: Bench, lapse: FaultKind) -> None:
        if bench.platform is None:
            pytest.skip("no platform that could lapse: the channel writes files or memory")
        bench.platform.fail(lapse, bench.effect)
        delivery = bench.delivery()
        live(delivery.run())
        assert len(bench.shown(delivery.publication)) == 1

    def test_two_items_are_two_posts(self, bench: Bench) -> None:
        one, two = (bench.delivery(a_publication(public_id)) for public_id in ("item-1", "item-2"))
        live(one.run())
        bench.clock.advance(minutes=5)
        live(two.run())
        assert len(bench.shown(one.publication)) == len(bench.shown(two.publication)) == 1

    # ------------------------------------------------------------------------------------------ correct and withdraw

    def test_a_correction_leaves_one_text(self, bench: Bench) -> None:
        first = bench.delivery()
        live(first.run())
        correction = first.then(Action.CORRECT, REVISED, note=NOTE)
        live(correction.run())
        [text] = bench.shown(REVISED)
        assert NOTE.rstrip("。") in text

    def test_withdrawing_twice_is_success_twice(self, bench: Bench) -> None:
        first = bench.delivery()
        live(first.run())
        withdrawal = first.then(Action.WITHDRAW, note="信息有误，予以撤回")
        for _ in range(2):
            assert isinstance(withdrawal.run(), Absent)
            assert bench.shown(first.publication) == []
        assert isinstance(withdrawal.look(), Absent)

    def test_withdrawing_what_was_never_there_is_success(self, bench: Bench) -> None:
        assert isinstance(bench.delivery(action=Action.WITHDRAW).run(), Absent)

    def test_a_look_before_a_withdrawal_still_sees_it(self, bench: Bench) -> None:
        first = bench.delivery()
        live(first.run())
        live(first.then(Action.WITHDRAW).look())

    # -------------------------------------------------------------------------------------------------- when it is away

    def test_unreachable_is_unavailable(self, bench: Bench) -> None:
        if bench.platform is None:
            pytest.skip("no address that could be unreachable: the channel writes files or memory")
        away = Delivery(bench.unreachable(), a_publication(), bench.clock)
        assert isinstance(away.send(), Unavailable)
        assert not bench.unreachable().check().ok

    def test_a_look_at_a_platform_that_is_away_decides_nothing(self, bench: Bench) -> None:
        if bench.platform is None:
            pytest.skip("no address that could be unreachable: the channel writes files or memory")
        delivery = bench.delivery()
        delivery.send()
        delivery.ref, delivery.channel = {}, bench.unreachable()
        bench.clock.advance(minutes=10)
        assert isinstance(delivery.look(), Unknown | Unavailable)

    # ---------------------------------------------------------------------------------------------------- what is told

    def test_no_secret_is_recorded(self, bench: Bench) -> None:
        delivery = bench.delivery()
        if bench.platform is not None:
            bench.platform.fail(FaultKind.INVALID_JSON, bench.effect)
        delivery.run()
        later = delivery.then(Action.WITHDRAW)
        later.run()
        told = [str(each) for part in (delivery, later) for each in (*part.exchanges, *part.outcomes)]
        told += [str(bench.channel().check()), repr(bench.account), repr(bench.channel())]
        assert delivery.exchanges, "an attempt leaves evidence"
        for name, secret in bench.account.secrets.items():
            assert secret not in "".join(told), name

    def test_every_exchange_is_evidence(self, bench: Bench) -> None:
        delivery = bench.delivery()
        delivery.run()
        for exchange in delivery.exchanges:
            assert exchange.what
            assert exchange.status
            assert exchange.milliseconds >= 0
            assert len(exchange.excerpt) <= 2000

    def test_check_speaks_chinese(self, bench: Bench) -> None:
        health = bench.channel().check()
        assert health.ok, health.message
        assert speaks_chinese(health.message)

    # ------------------------------------------------------------------------------------------------- what is declared

    def test_it_is_declared(self, bench: Bench) -> None:
        channel = bench.channel()
        assert channel.name == bench.kind
        limits = limits_of(bench.kind)
        assert isinstance(limits, Limits)
        assert limits == type(channel).limits
        assert limits.batch >= 1
        assert not (limits.serial and limits.batch > 1)
        assert limits.looks
        assert min(limits.looks) > timedelta(0)
        assert limits.lease >= timedelta(seconds=30)
        assert limits.retry_base <= limits.retry_cap <= limits.horizon
        assert all(length > 0 for length in limits.lengths.values())

    def test_it_is_documented(self, bench: Bench) -> None:
        module = import_module(CHANNELS[bench.kind].path.partition(":")[0])
        place = Path(str(module.__file__))
        told = (place.parent / "README.md").read_text() if place.name == "__init__.py" else str(module.__doc__)
        assert len(told) > 500
        for setting in bench.account.settings:
            assert setting in told

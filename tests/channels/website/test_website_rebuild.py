"""The rebuilt site has the same bytes as the one that grew; a crash anywhere heals; two workers never interleave."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from channels import files as public_files
from channels.base import Absent, Live, Named, Outcome, Refused, Relation, Unavailable, Unknown, recording
from channels.website import index, listings, rebuild, rebuilding
from channels.website.index import Busy, State
from tests.channels.website.district import CIVIL, EMPTY, LABOUR, NEWS, NOTICE, POLICY, SITE, District, item

IDS = [f"A-{n}" for n in range(7)]
FOREIGN = {"feeds/all.rss.xml": b"<rss/>", "record/head.txt": b"head"}
moves = st.lists(
    st.tuples(
        st.sampled_from(["publish", "publish", "publish", "correct", "withdraw"]),
        st.sampled_from(IDS),
        st.integers(0, 40),
        st.sampled_from([NOTICE, POLICY, NEWS, EMPTY]),
        st.sampled_from([CIVIL, LABOUR, Named("unlisted", "未列入的局")]),
        st.lists(st.sampled_from(IDS), max_size=2, unique=True),
        st.booleans(),
    ),
    min_size=1,
    max_size=10,
)


@contextmanager
def short_pages() -> Iterator[None]:
    """As the fixture, for hypothesis, whose examples share one fixture."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(listings, "PER_PAGE", 2)
        patch.setattr(listings, "PER_SITEMAP", 3)
        yield


MEMORY = next((each for each in ("/dev/shm",) if os.access(each, os.W_OK)), None)
"""Where these tests make and drop thousands of files: in memory, if there is such a folder."""


def play(district: District, steps: list[Any]) -> None:
    """Carry out the steps as a hub would: revisions count up, what is withdrawn stays withdrawn."""
    revisions: dict[str, Any] = {}
    gone: set[str] = set()
    for number, (verb, public_id, minute, column, department, targets, urgent) in enumerate(steps):
        if public_id in gone:
            continue
        shown = revisions.get(public_id)
        if verb == "withdraw":
            if shown:
                district.withdraw(shown[0], 100 + number)
                gone.add(public_id)
            continue
        if (verb == "publish") == (shown is not None):
            continue
        attachment = district.files.add(targets[0].encode() if targets else b"same", "附件.pdf", "application/pdf")
        publication = item(
            public_id,
            revision=shown[0].revision + 1 if shown else 1,
            column=column,
            department=department,
            kind="emergency" if urgent else "notice",
            relations=tuple(Relation("interprets", t, f"关于{t}的公告", f"{SITE.url}/items/{t}/") for t in targets if t != public_id),
            attachments=(attachment,),
            change_note=f"第{number}步更正" if shown else "",
            title=f"第{number}步的标题",
        )
        first = shown[1] if shown else minute
        outcome = district.publish(publication, first, 100 + number if shown else None)
        assert isinstance(outcome, Live), outcome
        revisions[public_id] = (publication, first)


@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=12)
@given(steps=moves)
def test_a_rebuild_has_the_bytes_of_the_site_that_grew(steps: list[Any]) -> None:
    with short_pages(), TemporaryDirectory(dir=MEMORY) as folder:
        district = District(Path(folder))
        district.channel.prepare()
        play(district, steps)
        grown = district.tree()
        assert district.rebuilt_elsewhere(Path(folder) / "again") == grown
        report = district.rebuild()
        assert (report.changed, report.removed, report.faults) == (0, 0, {})
        assert district.tree() == grown


@pytest.mark.usefixtures("short_pages")
def test_publishing_goes_on_after_a_rebuild(district: District, tmp_path: Path) -> None:
    for n in range(9):
        district.publish(item(f"A-{n}"), n)
    district.rebuild()
    district.publish(item("B-1"), 3)
    district.publish(item("A-4", revision=2, title="改"), 4, 50)
    assert district.rebuilt_elsewhere(tmp_path / "again") == district.tree()


def test_a_rebuild_leaves_what_belongs_to_others_and_removes_what_belongs_to_nobody(district: District) -> None:
    for path, data in FOREIGN.items():
        target = district.around.site_dir / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
    district.publish(item("A-1"), 0)
    clean = district.tree()
    strays = [
        "items/A-9/index.html", "items/A-1/gone.html", "items/A-1/notes.txt", "columns/notice/page/4/index.html", "columns/none/index.html",
        "files/ab/cd/x.pdf", "sitemaps/9.xml", "sitemaps/9.xml.gz", "assets/site.0000.css", "items/A-1/.0123.part",
    ]  # fmt: skip
    for path in strays:
        target = district.around.site_dir / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(b"stray")
    report = district.rebuild()
    assert report.removed == len(strays)
    assert district.tree() == clean
    assert {path: clean[path] for path in FOREIGN} == FOREIGN
    assert not district.has("items/A-9")


def test_a_rebuild_mends_damaged_pages_and_counts_them(district: District) -> None:
    district.publish_many([(item("A-1"), 0, None), (item("A-2"), 1, None)])
    clean = district.tree()
    (district.around.site_dir / "items/A-1/index.html").write_bytes(b"damaged")
    (district.around.site_dir / "items/A-2/index.html.gz").unlink()
    seen: list[tuple[str, int]] = []
    report = rebuild(district.around, district.entries.values(), progress=lambda stage, count: seen.append((stage, count)))
    assert (report.items, report.changed) == (2, 2)
    assert district.tree() == clean
    assert {stage for stage, _ in seen} == {"index", "pages", "tidy"}


def test_a_rebuild_reports_what_it_cannot_draw_and_goes_on(district: District) -> None:
    district.publish_many([(item("A-1"), 0, None), (item("A-2"), 1, None)])
    broken = district.entries["A-1"]
    payload = {key: value for key, value in broken.payload.items() if key != "attachments"}
    twice = district.entries["A-2"]
    report = district.rebuild([replace(broken, payload=payload), twice, twice, replace(twice, revision=9)])
    assert set(report.faults) == {"A-1", "A-2"}
    assert report.items == 1
    assert not district.has("items/A-1")
    assert district.has("items/A-2/index.html")


def test_an_interrupted_rebuild_is_told_and_mended_by_the_next(district: District, monkeypatch: pytest.MonkeyPatch) -> None:
    district.publish_many([(item(f"A-{n}"), n, None) for n in range(4)])
    clean = district.tree()
    for path in district.around.site_dir.rglob("*.html"):
        path.write_bytes(b"old look")

    class Cut(BaseException):
        """As SIGKILL: nobody catches it."""

    def cut(stage: str, _count: int) -> None:
        if stage == "pages":
            raise Cut

    with pytest.raises(Cut):
        rebuild(district.around, district.entries.values(), progress=cut)
    health = district.channel.check()
    assert not health.ok
    assert "重建" in health.message
    assert isinstance(district.publish(item("A-1", revision=1), 1), Live)
    district.rebuild()
    assert district.tree() == clean
    assert district.channel.check().ok


def test_an_index_of_another_version_asks_for_a_rebuild_and_a_rebuild_replaces_it(district: District) -> None:
    district.publish(item("A-1"), 0)
    with district.channel._state.held() as db:
        db.execute("PRAGMA user_version = 99")
    health = district.channel.check()
    assert not health.ok
    assert "hub site rebuild" in health.message
    district.rebuild()
    assert district.channel.check().ok
    assert [path.name for path in sorted(district.around.state_dir.glob("index-*"))] == ["index-2.db"]


def test_another_look_is_told_until_a_rebuild(district: District) -> None:
    district.publish(item("A-1"), 0)
    renamed = District(district.folder, site=replace(SITE, name="云川新区人民政府"))
    renamed.entries = district.entries
    renamed.channel.prepare()
    assert "云川新区" in renamed.page("/")
    assert "云川新区" not in renamed.page("/items/A-1/")
    assert "hub site rebuild" in renamed.channel.check().message
    renamed.rebuild()
    assert "云川新区" in renamed.page("/items/A-1/")
    assert "hub site rebuild" not in renamed.channel.check().message


# ------------------------------------------------------------------------------------------------------------ crashes


@pytest.fixture
def quick_path() -> Iterator[Path]:
    with TemporaryDirectory(dir=MEMORY) as folder:
        yield Path(folder)


class Killed(BaseException):
    """As SIGKILL: nothing after it runs, nobody catches it."""


def cut_after(monkeypatch: pytest.MonkeyPatch, steps: int, fault: BaseException) -> dict[str, int]:
    """Let so many renames through, then fail."""
    real, count = public_files.replace, {"done": 0}

    def replace_some(temporary: Path, path: Path) -> None:
        if count["done"] >= steps:
            raise fault
        count["done"] += 1
        real(temporary, path)

    monkeypatch.setattr(public_files, "replace", replace_some)
    return count


@pytest.mark.usefixtures("short_pages")
@pytest.mark.parametrize("verb", ["publish", "correct", "withdraw"])
def test_a_crash_at_any_write_is_healed_by_the_next_push(verb: str, quick_path: Path) -> None:
    start = District(quick_path / "start")
    linking = item("A-0", relations=(Relation("interprets", "A-9", "甲", "https://a/items/A-9/"),))
    start.publish_many([(linking, 0, None), *((item(f"A-{n}"), n, None) for n in range(1, 5))])
    attachment = start.files.add(b"table", "表.pdf", "application/pdf")
    steps, expected = 0, None
    while True:
        shutil.copytree(start.folder, quick_path / f"at-{steps}")
        district = District(quick_path / f"at-{steps}", entries=dict(start.entries))
        with pytest.MonkeyPatch.context() as patch:
            count = cut_after(patch, steps, Killed())
            try:
                if verb == "publish":
                    district.publish(item("A-9", attachments=(attachment,)), 9)
                elif verb == "correct":
                    district.publish(item("A-2", revision=2, title="改", column=NEWS), 2, 60)
                else:
                    district.withdraw(item("A-2"), 60)
                finished = True
            except Killed:
                finished = False
        assert finished or count["done"] == steps
        district.publish(item("B-1"), 30)
        expected = expected or district.rebuilt_elsewhere(quick_path / "again")
        assert district.tree() == expected
        assert not list(district.around.site_dir.rglob("*.part"))
        if finished:
            break
        steps += 1
    assert steps > 8


def test_leftovers_of_a_killed_process_are_swept(district: District, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.MonkeyPatch.context() as patch:
        cut_after(patch, 3, Killed())
        patch.setattr(public_files.Batch, "abandon", lambda _self: None)
        with pytest.raises(Killed):
            district.publish(item("A-1"), 0)
    assert list(district.around.site_dir.rglob("*.part"))
    district.publish(item("A-2"), 1)
    assert not list(district.around.site_dir.rglob("*.part"))


def test_a_full_disk_makes_the_outcome_unknown_and_the_look_absent_until_it_is_mended(district: District) -> None:
    district.publish(item("A-0"), 0)
    publication = item("A-1")
    rendition, work = district.delivery(publication, 1)
    with pytest.MonkeyPatch.context() as patch:
        cut_after(patch, 0, OSError(28, "No space left on device"))
        outcome = district.channel.push(rendition, work)
    assert isinstance(outcome, Unknown)
    assert "items" in outcome.why or "item" in outcome.why
    assert isinstance(district.channel.reconcile(rendition, work), Absent)
    assert not district.channel.check().ok
    assert isinstance(district.channel.push(rendition, work), Live)
    assert isinstance(district.channel.reconcile(rendition, work), Live)
    assert district.channel.check().ok


def test_one_page_that_cannot_be_written_stops_no_other(district: District) -> None:
    blocked = district.around.site_dir / "items" / "A-1"
    blocked.parent.mkdir()
    blocked.write_text("a file where a folder must be")
    outcomes = district.publish_many([(item("A-1"), 0, None), (item("A-2"), 1, None)])
    assert [type(each) for each in outcomes] == [Unknown, Live]
    assert "A-2" in district.page("/items/A-2/")
    blocked.unlink()
    district.publish(item("A-3"), 2)
    assert district.has("items/A-1/index.html")


# --------------------------------------------------------------------------------------------------- several processes

PUSHER = """
import sys
from pathlib import Path
from tests.channels.website.district import District, item
folder, start, count = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
district = District(folder)
sys.stdin.readline()
for n in range(start, start + count):
    outcome = district.publish(item(f"A-{n}"), n % 7)
    assert type(outcome).__name__ == "Live", outcome
"""


def test_two_processes_push_at_once(district: District, tmp_path: Path) -> None:
    root = Path(__file__).parents[3]
    workers = [
        subprocess.Popen([sys.executable, "-c", PUSHER, str(district.folder), str(n * 8), "8"], stdin=subprocess.PIPE, cwd=root)
        for n in range(2)
    ]
    for worker in workers:
        assert worker.stdin is not None
        worker.stdin.write(b"go\n")
        worker.stdin.close()
    assert [worker.wait(60) for worker in workers] == [0, 0]
    for n in range(16):
        district.remember(*district.delivery(item(f"A-{n}"), n % 7))
    assert district.rebuilt_elsewhere(tmp_path / "again") == district.tree()


def test_who_waits_too_long_for_the_site_comes_back_later(tmp_path: Path) -> None:
    district = District(tmp_path, settings={"lock_seconds": 0.05})
    publication = item("A-1")
    with State(district.around.state_dir).held():
        outcome: Outcome = district.publish(publication, 0)
        assert isinstance(outcome, Unavailable)
        assert outcome.retry_after is not None
        assert isinstance(district.withdraw(publication, 5), Unavailable)
        with pytest.raises(Busy):
            district.channel.prepare()
    assert not district.has("items/A-1")
    assert isinstance(district.publish(publication, 0), Live)


# --------------------------------------------------------------------------------------------------------------- cost


def work_of_one_push(folder: Path, size: int) -> tuple[list[str], int]:
    """Pages written, and SQLite steps in hundreds, for one more item on a site whose index holds ``size``.

    The pages of the other items are not drawn: whatever the push thinks it must write is missing, so it is written and counted.
    """
    district = District(folder)
    for n in range(size):
        district.remember(*district.delivery(item(f"A-{n:05d}"), n))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rebuilding, "write_pages", lambda _db, _place, pages, _done: list(pages))
        district.rebuild()
    ticks = 0

    def tick() -> int:
        nonlocal ticks
        ticks += 1
        return 0

    real = index.open_index

    def counted(path: Path) -> Any:
        db = real(path)
        db.set_progress_handler(tick, 100)
        return db

    with pytest.MonkeyPatch.context() as patch, recording() as exchanges:
        patch.setattr(index, "open_index", counted)
        assert isinstance(district.publish(item("B-1"), size + 1), Live)
    return sorted(each.what for each in exchanges), ticks


def test_publishing_costs_the_same_on_a_small_and_a_large_site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listings, "PER_SITEMAP", 50)
    small, large = work_of_one_push(tmp_path / "small", 103), work_of_one_push(tmp_path / "large", 1003)
    assert len(small[0]) == len(large[0])
    assert {each for each in small[0] if "sitemaps" not in each} == {each for each in large[0] if "sitemaps" not in each}
    assert large[1] <= small[1] * 1.2 + 2


def test_a_refused_item_is_not_in_the_way(district: District) -> None:
    rendition, work = district.delivery(item("A-1"), 0)
    bad = replace(rendition, payload={**rendition.payload, "title": None, "details": 3})
    assert isinstance(district.channel.push(bad, work), Refused)
    assert isinstance(district.channel.push(rendition, work), Live)

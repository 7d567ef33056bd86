"""Feeds whose writing breaks off, is shared between processes, or has lost its index."""

from __future__ import annotations

import gzip
import multiprocessing
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from channels import files
from channels.base import (
    Absent,
    Action,
    Live,
    Unavailable,
    Unknown,
)
from channels.feed import adapter
from channels.feed.index import locked
from tests.channels.feed.district import HEALTH, NEWS, District, ids, job, publication


def test_reconcile_says_what_the_files_say(district: District) -> None:
    rendition = district.channel.format(publication())
    delivery = job(rendition, district.at(0))
    newer = district.channel.format(publication(revision=2))
    assert isinstance(district.channel.reconcile(rendition, delivery), Absent)
    district.publish(publication(), district.at(0))
    assert isinstance(district.channel.reconcile(rendition, delivery), Live)
    assert isinstance(district.channel.reconcile(newer, job(newer, district.at(1), Action.CORRECT)), Absent)
    withdrawal = job(rendition, district.at(2), Action.WITHDRAW)
    assert isinstance(district.channel.reconcile(rendition, withdrawal), Live)
    (district.folder / "all.rss.xml").write_bytes(b"damaged")
    assert isinstance(district.channel.reconcile(rendition, delivery), Absent)
    assert not district.channel.check().ok
    assert isinstance(district.channel.push(rendition, delivery), Live)
    assert isinstance(district.channel.reconcile(rendition, delivery), Live)
    district.publish(publication(revision=2), district.at(1))
    assert isinstance(district.channel.reconcile(rendition, delivery), Live)
    district.withdraw("YC-01", district.at(2))
    assert isinstance(district.channel.reconcile(rendition, withdrawal), Absent)
    assert isinstance(district.channel.reconcile(rendition, delivery), Absent)


@pytest.mark.parametrize("room", [4, 8], ids=["within all", "after all"])
def test_a_write_that_breaks_off_is_unknown_and_the_next_one_finishes_it(
    district: District, monkeypatch: pytest.MonkeyPatch, room: int
) -> None:
    district.publish(publication("YC-00"), district.at(0))
    rename, done = files.replace, 0

    def full_disk(temporary: Path, path: Path) -> None:
        nonlocal done
        if (done := done + 1) > room:
            raise OSError(28, "No space left on device")
        rename(temporary, path)

    rendition = district.channel.format(publication("YC-01"))
    delivery = job(rendition, district.at(1))
    with monkeypatch.context() as patch:
        patch.setattr(files, "replace", full_disk)
        outcome = district.channel.push(rendition, delivery)
        assert isinstance(outcome, Unknown)
        assert isinstance(district.channel.reconcile(rendition, delivery), Absent)
        gone = district.channel.withdraw(rendition, job(rendition, district.at(2), Action.WITHDRAW))
        assert isinstance(gone, Unknown)
    assert not list(district.folder.glob(".*"))
    district.publish(publication("YC-02", column=NEWS, department=HEALTH, area=None), district.at(3))
    for feed in ("column-notices", "area-jobs", "department-labour"):
        assert "notice:YC-01.withdrawal" in ids(district, feed)
    assert isinstance(district.channel.reconcile(rendition, job(rendition, district.at(2), Action.WITHDRAW)), Absent)


def _push_and_die(root: Path, public_id: str) -> None:
    """In a process of its own: die at the third rename, with the index already ahead of the files."""
    district = District(root)
    rename, done = files.replace, 0

    def die(temporary: Path, path: Path) -> None:
        nonlocal done
        if (done := done + 1) == 3:
            os._exit(9)
        rename(temporary, path)

    files.replace = die
    district.publish(publication(public_id), district.at(1))


def _push_many_alone(root: Path, name: str) -> None:
    district = District(root)
    for number in range(5):
        assert isinstance(district.publish(publication(f"{name}-{number}"), district.at(number)), Live)


def test_a_killed_writer_leaves_nothing_that_the_next_one_does_not_finish(district: District) -> None:
    district.publish(publication("YC-00"), district.at(0))
    process = multiprocessing.get_context("spawn").Process(target=_push_and_die, args=(district.root, "YC-01"))
    process.start()
    process.join(30)
    assert process.exitcode == 9
    assert list(district.folder.glob(".*.part"))
    assert district.channel.prepare() > 0
    assert not list(district.folder.glob(".*.part"))
    for feed in ("all", "column-notices", "area-jobs", "department-labour", "column-open"):
        assert set(ids(district, feed)) == {"item:YC-00", "item:YC-01"}
        for form in ("rss.xml", "atom.xml", "json"):
            assert gzip.decompress(district.read(f"{feed}.{form}.gz")) == district.read(f"{feed}.{form}")


def test_writers_in_several_processes_lose_nothing(district: District) -> None:
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=_push_many_alone, args=(district.root, name)) for name in ("A", "B")]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [each.exitcode for each in processes] == [0, 0]
    assert set(ids(district)) == {f"item:{name}-{number}" for name in "AB" for number in range(5)}


@contextmanager
def held_elsewhere(district: District, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(adapter, "_PATIENCE", adapter._PATIENCE * 0)
    with locked(district.around.state_dir, adapter._PATIENCE):
        yield


def test_while_another_holds_the_feeds_nothing_happens_and_the_hub_may_try_again(
    district: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    rendition = district.channel.format(publication())
    delivery = job(rendition, district.at(0))
    with held_elsewhere(district, monkeypatch):
        assert isinstance(district.channel.push(rendition, delivery), Unavailable)
        assert isinstance(district.channel.withdraw(rendition, delivery), Unavailable)
        assert isinstance(district.channel.reconcile(rendition, delivery), Unavailable)
        assert not district.channel.check().ok


def test_a_lost_index_never_empties_the_feeds(district: District) -> None:
    district.publish(publication(), district.at(0))
    before = district.files()
    shutil.rmtree(district.root / "state")
    other = district.channel.format(publication("YC-02"))
    for _ in range(2):
        outcome = district.channel.push(other, job(other, district.at(1)))
        assert isinstance(outcome, Unavailable)
        assert "hub site rebuild" in outcome.why
    assert district.files() == before
    assert not district.channel.check().ok
    district.channel.rebuild(list(district.entries.values()))
    assert district.files() == before
    assert isinstance(district.channel.push(other, job(other, district.at(1))), Live)
    assert set(ids(district)) == {"item:YC-01", "item:YC-02"}

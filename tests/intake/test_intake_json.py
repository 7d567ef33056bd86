"""Items as JSON: the exchange shape and our own."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from hub.domain.content import Content
from hub.intake.files import FileStore
from hub.intake.report import Refused, Taken
from hub.intake.sources.json_items import to_items
from tests.intake import papers
from tests.intake.conftest import EXAMPLES, Read, only, refusal

ITEM: dict[str, Any] = {
    "id": "X-1",
    "kind": "notice",
    "title": "招聘公告",
    "department": "区民政局",
    "column": "民生看点",
    "site_column": "通知公告",
    "body": "第一段。\n第二段。",
    "formed_date": "2026-11-16",
    "channels": ["rss", "website"],
}


@pytest.fixture
def item_file(tmp_path: Path) -> Any:
    def write(*items: Any, **more: Any) -> Path:
        path = tmp_path / "items.json"
        path.write_text(
            json.dumps({"items": [dict(i, **more) if isinstance(i, dict) else i for i in items]}, ensure_ascii=False), encoding="utf-8"
        )
        return path

    return write


def test_the_samples_are_all_taken(read: Read, store: FileStore) -> None:
    results = read(EXAMPLES / "sample_items.json", defaults={})
    assert [type(r) for r in results] == [Taken] * 12, [str(p) for r in results if isinstance(r, Refused) for p in r.problems]
    taken = {r.external_ref: r for r in results if isinstance(r, Taken)}
    assert list(taken) == [f"YC-SAMPLE-{n:02d}" for n in range(1, 13)]
    assert not any(r.problems for r in taken.values())
    policy = taken["YC-SAMPLE-02"]
    assert policy.index_no == "YC0000103/2026-00087"
    assert (policy.content.department, policy.content.column, policy.content.area) == (
        "minzheng",
        "xingzheng-guifanxing-wenjian",
        "yanglao-fuwu",
    )
    assert policy.content.doc_no == "云川民规〔2026〕2号"
    assert str(policy.content.effective_on) == "2027-01-01"
    assert policy.content.channels == ("website", "feed", "wechat", "weibo", "app")
    assert policy.content.body.startswith("<p>各街道办事处：</p><p>为改善")
    assert policy.content.summary.startswith("为改善困难老年人居家生活条件")
    assert [(r.type, r.target) for r in policy.content.relations] == [("interpreted_by", "YC-SAMPLE-03")]
    warning = taken["YC-SAMPLE-04"].content
    assert warning.details["warning"]["color"] == "黄色"
    assert warning.details["sla_minutes"] == {"初审": 10, "复审": 10, "终审": 10}
    assert taken["YC-SAMPLE-05"].content.area == "zhengwu-fuwu"
    library = taken["YC-SAMPLE-12"].content
    assert library.title == "区图书馆冬季延时开放　周末夜读活动同步上线"
    (picture,) = library.files
    assert (picture.role, picture.media_type) == ("picture", "image/jpeg")
    assert f'<img src="file:{picture.sha256}" alt="{picture.alt}">' in library.body
    for one in taken.values():
        for use in one.content.files:
            assert store.path(use.sha256).stat().st_size == use.size
        for channel in one.content.channels:
            if channel == "wechat":
                assert len(one.content.wording.get("wechat", {}).get("title", one.content.title)) <= 32


def test_taken_content_survives_json(read: Read) -> None:
    for result in read(EXAMPLES / "sample_items.json", defaults={}):
        assert isinstance(result, Taken)
        assert Content.from_json(json.loads(json.dumps(result.content.to_json()))) == result.content


def test_a_table_without_its_file_becomes_the_same_workbook_each_time(read: Read, tmp_path: Path, store: FileStore) -> None:
    shutil.copy(EXAMPLES / "sample_items.json", tmp_path / "alone.json")
    results = read(tmp_path / "alone.json", defaults={})
    first = results[0]
    assert isinstance(first, Taken)
    (use,) = first.content.files
    assert store.path(use.sha256).read_bytes() == (EXAMPLES / "attachments" / use.name).read_bytes()
    missing = [r for r in results if isinstance(r, Refused)]
    assert {p.code for r in missing for p in r.problems} == {"file_missing"}
    assert all("attachments" in p.remedy for r in missing for p in r.problems)


def test_our_own_shape_comes_back_as_it_was(read: Read, tmp_path: Path) -> None:
    before = [r for r in read(EXAMPLES / "sample_items.json", defaults={}) if isinstance(r, Taken)]
    path = tmp_path / "export.json"
    path.write_text(json.dumps(to_items({r.external_ref: r.content for r in before}), ensure_ascii=False), encoding="utf-8")
    after = [r for r in read(path, defaults={}) if isinstance(r, Taken)]
    assert [(r.external_ref, r.content) for r in after] == [(r.external_ref, r.content) for r in before]


def test_one_bad_item_does_not_stop_the_others(read: Read, item_file: Any) -> None:
    results = read(item_file(ITEM, {**ITEM, "id": "X-2", "department": "区民生局"}, "text", {**ITEM, "id": "X-3"}), defaults={})
    assert [(type(r), r.row) for r in results] == [(Taken, 1), (Refused, 2), (Refused, 3), (Taken, 4)]
    second = results[1]
    assert isinstance(second, Refused)
    assert second.title == "招聘公告"
    assert [(p.field, p.code) for p in second.problems] == [("department", "unknown")]
    assert "区民政局" in second.problems[0].remedy


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        ({"title": ""}, "title", "required"),
        ({"formed_date": "昨天"}, "formed_on", "bad_date"),
        ({"formed_date": None}, "formed_on", "required"),
        ({"site_column": "不存在"}, "column", "unknown"),
        ({"channels": ["rss"]}, "channels", "website_missing"),
        ({"attachments": "a.pdf"}, "attachments", "not_list"),
        ({"attachments": ["a.pdf"]}, "attachments.0", "not_object"),
        ({"attachments": [{}]}, "attachments.0", "required"),
        ({"attachments": [{"name": "没有.pdf"}]}, "attachments.0", "file_missing"),
        ({"attachments": [{"name": "../../../etc/passwd"}]}, "attachments.0", "file_missing"),
        ({"attachments": [{"name": "表.xlsx", "table": {"columns": 1}}]}, "attachments.0", "bad_table"),
        ({"images": [{"file": "没有.png"}]}, "images.0", "file_missing"),
        ({"wording": {"wechat": "x"}}, "wording", "not_object"),
        ({"wording": {"wechat": {"titel": "x"}}}, "wording.wechat.titel", "unknown"),
        ({"relations": [{"type": "likes", "target": "X"}]}, "relations.0.type", "unknown"),
        ({"files": [{"sha256": "0" * 64, "name": "a.pdf", "media_type": "application/pdf", "size": 1}]}, "files.0", "file_missing"),
        ({"files": [{"sha": "x"}]}, "files.0", "bad_file"),
        ({"disclosure_attribute": "不予公开"}, "disclosure_attr", "not_public"),
        ({"body": ""}, "body", "required"),
        ({"body": "机密★1年\n内容"}, "body", "secrecy_mark"),
    ],
)
def test_bad_values_are_told(read: Read, item_file: Any, change: dict[str, Any], field: str, code: str) -> None:
    assert (field, code) in {(p.field, p.code) for p in refusal(read(item_file({**ITEM, **change}), defaults={})).problems}


def test_a_picture_without_description_makes_a_draft_with_a_problem(read: Read, item_file: Any, tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "图.png").write_bytes(papers.picture())
    taken = only(read(item_file({**ITEM, "images": [{"file": "图.png", "alt": ""}]}), defaults={}))
    assert [(p.code, p.blocking) for p in taken.problems] == [("alt_missing", True)]


def test_marked_attachments_and_unknown_keys(read: Read, item_file: Any, tmp_path: Path) -> None:
    (tmp_path / "attachments").mkdir()
    (tmp_path / "attachments" / "通知.docx").write_bytes(papers.word("秘密★1年", "通知"))
    assert refusal(read(item_file({**ITEM, "attachments": [{"name": "通知.docx"}]}), defaults={})).problems[0].code == "secrecy_mark"
    taken = only(read(item_file({**ITEM, "colour": "red"}), defaults={}))
    assert [(p.code, p.blocking) for p in taken.problems] == [("unknown_key", False)]


def test_relations_must_name_something_known(read: Read, item_file: Any, words: Any, store: FileStore) -> None:
    from dataclasses import replace

    from hub.intake.report import read_sources
    from tests.intake.conftest import NOW

    first = {**ITEM, "relations": [{"type": "replaces", "target": "X-2"}]}
    second = {**ITEM, "id": "X-2", "relations": [{"type": "replaced_by", "target": "nobody"}]}
    results = list(read_sources([item_file(first, second)], replace(words, items=frozenset()), store, {}, NOW))
    assert [type(r) for r in results] == [Taken, Refused]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "not_json"),
        (b'{"items": [', "not_json"),
        (b'{"items": []}', "no_items"),
        (b"[]", "no_items"),
        (b'"x"', "no_items"),
        (b'{"items": [{"title": NaN}]}', "not_json"),
        (b"[" * 100_000, "not_json"),
        (b"\xff\xfe\x00\xd8", "encoding"),
        (b"\x80\x81\xfe\xff" * 40, "encoding"),
    ],
)
def test_broken_files_are_one_refusal_with_a_remedy(read: Read, tmp_path: Path, data: bytes, code: str) -> None:
    path = tmp_path / "坏.json"
    path.write_bytes(data)
    refused = refusal(read(path))
    assert (refused.source, refused.row, [p.code for p in refused.problems]) == ("坏.json", 0, [code])
    assert refused.problems[0].remedy


def test_gb18030_json_is_read(read: Read, tmp_path: Path) -> None:
    path = tmp_path / "旧.json"
    path.write_bytes(json.dumps([ITEM], ensure_ascii=False).encode("gb18030"))
    assert only(read(path, defaults={})).content.title == "招聘公告"


def test_half_a_character_pair_does_not_get_in(read: Read, tmp_path: Path) -> None:
    path = tmp_path / "半.json"
    path.write_text(json.dumps([{**ITEM, "title": "招\ud800聘", "qa": {"asker": "网\ud83d民"}}]), encoding="ascii")
    content = only(read(path, defaults={})).content
    assert content.title == "招聘"
    assert content.details["qa"] == {"asker": "网民"}

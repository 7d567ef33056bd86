"""Every rule of a field, each broken once."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.domain.content import Content, FileUse, RelationTo
from hub.domain.problems import Problem
from hub.intake.rules import DOC_NO, doc_no_hint, problems_of
from hub.intake.vocabulary import Vocabulary, near_matches
from tests.intake.conftest import TODAY

SHA = "ab" * 32
PICTURE = FileUse(SHA, "图.png", "image/png", 10, "picture", "一张图")
GOOD = Content(
    title="关于印发办法的通知",
    body="<p>正文。</p>",
    kind="policy",
    department="minzheng",
    column="zhengce-jiedu",
    formed_on=date(2026, 11, 10),
    doc_no="云川民规〔2026〕2号",
    keywords=("办法",),
    channels=("website", "feed", "wechat", "weibo"),
)


def found(words: Vocabulary, **changes: Any) -> list[Problem]:
    return list(problems_of(replace(GOOD, **changes), words, today=TODAY))


def test_good_content_has_no_problem(words: Vocabulary) -> None:
    assert found(words) == []


BLOCKING: list[tuple[dict[str, Any], str, str]] = [
    ({"title": ""}, "title", "required"),
    ({"title": "长" * 201}, "title", "too_long"),
    ({"title": "两\n行"}, "title", "line_break"),
    ({"title": "a\x07b"}, "title", "bad_character"),
    ({"keywords": ("a\x07",)}, "keywords.0", "bad_character"),
    ({"body": ""}, "body", "required"),
    ({"body": "<p> </p>"}, "body", "required"),
    ({"body": "<p>字</p><script>x</script>"}, "body", "not_clean"),
    ({"body": "<p>机密★1年</p><p>正文。</p>"}, "body", "secrecy_mark"),
    ({"summary": "长" * 501}, "summary", "too_long"),
    ({"kind": "nothing"}, "kind", "unknown"),
    ({"kind": ""}, "kind", "required"),
    ({"validity": "好"}, "validity", "unknown"),
    ({"disclosure_attr": "公开"}, "disclosure_attr", "unknown"),
    ({"genre": "诗歌"}, "genre", "unknown"),
    ({"grade": "D"}, "grade", "unknown"),
    ({"urgency": "急"}, "urgency", "unknown"),
    ({"source_kind": "抄来"}, "source_kind", "unknown"),
    ({"department": "nobody"}, "department", "unknown"),
    ({"column": "nowhere"}, "column", "unknown"),
    ({"area": "无此领域"}, "area", "unknown"),
    ({"doc_no": "云川民规[2026]02号"}, "doc_no", "bad_doc_no"),
    ({"formed_on": date(2026, 11, 23)}, "formed_on", "in_future"),
    ({"formed_on": date(1900, 1, 1)}, "formed_on", "too_early"),
    ({"issued_on": date(2027, 1, 1)}, "issued_on", "in_future"),
    ({"effective_on": date(2027, 1, 1), "expires_on": date(2026, 12, 31)}, "expires_on", "order"),
    ({"issued_on": date(2026, 11, 10), "expires_on": date(2026, 11, 9)}, "expires_on", "order"),
    ({"disclosure_attr": "不予公开", "channels": ()}, "details.withheld_reason", "required"),
    ({"disclosure_attr": "不予公开", "details": {"withheld_reason": "条例第十六条"}}, "disclosure_attr", "not_public"),
    ({"disclosure_attr": "依申请公开"}, "disclosure_attr", "not_public"),
    ({"source_kind": "转载", "source_url": "https://a.example/x"}, "source", "required"),
    ({"source_kind": "转载", "source": "新华社"}, "source_url", "required"),
    ({"source_url": "javascript:x"}, "source_url", "bad_url"),
    ({"source_url": "https://[bad"}, "source_url", "bad_url"),
    ({"channels": ()}, "channels", "required"),
    ({"channels": ("website", "fax")}, "channels", "unknown"),
    ({"channels": ("website", "website")}, "channels", "repeated"),
    ({"channels": ("wechat",)}, "channels", "website_missing"),
    ({"wording": {"fax": {"title": "x"}}}, "wording.fax", "unknown"),
    ({"wording": {"wechat": {"headline": "x"}}}, "wording.wechat.headline", "unknown"),
    ({"wording": {"wechat": {"title": 5}}}, "wording.wechat.title", "not_text"),
    ({"wording": {"wechat": {"title": "a\x00"}}}, "wording.wechat.title", "bad_character"),
    ({"wording": {"wechat": {"cover": SHA}}}, "wording.wechat.cover", "unknown_picture"),
    ({"relations": (RelationTo("likes", "x"),)}, "relations.0.type", "unknown"),
    ({"relations": (RelationTo("corrects", ""),)}, "relations.0.target", "required"),
    ({"relations": (RelationTo("corrects", "x"), RelationTo("corrects", "x"))}, "relations", "repeated"),
    ({"files": (replace(PICTURE, alt=" "),)}, "files.0.alt", "alt_missing"),
    ({"files": (replace(PICTURE, alt="长" * 201),)}, "files.0.alt", "too_long"),
    ({"files": (replace(PICTURE, role="attachment"),) * 2}, "files", "repeated"),
    ({"body": f'<p>字<img src="file:{SHA}" alt="图"></p>'}, "body", "unknown_picture"),
    ({"keywords": tuple(f"词{n}" for n in range(11))}, "keywords", "too_many"),
    ({"keywords": ("长" * 31,)}, "keywords.0", "bad_keyword"),
    ({"details": {"x": float("nan")}}, "details", "not_json"),
    ({"details": {"warning": "寒潮"}}, "details.warning", "not_object"),
    ({"details": {"warning": {"level": 5}}}, "details.warning.level", "unknown"),
    ({"details": {"warning": {"level": 3, "color": "蓝色"}}}, "details.warning.color", "mismatch"),
    ({"details": {"warning": {"level": 3}}}, "details.warning.measures", "required"),
    (
        {"details": {"consultation": {"opens_on": "2026-11-18", "closes_on": "2026-12-01", "min_days": 30}}},
        "details.consultation.closes_on",
        "too_short",
    ),
    ({"details": {"publicity": {"starts_on": "2026-11-20", "ends_on": "2026-11-19"}}}, "details.publicity.ends_on", "order"),
    ({"details": {"publicity": {"starts_on": "下周", "ends_on": "2026-11-19"}}}, "details.publicity.starts_on", "bad_date"),
    ({"details": {"correction": {"wrong": "甲"}}}, "details.correction.right", "required"),
]


@pytest.mark.parametrize(("changes", "field", "code"), BLOCKING, ids=lambda v: None if isinstance(v, dict) else v)
def test_broken_rules_block_and_say_what_to_do(words: Vocabulary, changes: dict[str, Any], field: str, code: str) -> None:
    matching = [p for p in found(words, **changes) if (p.field, p.code) == (field, code)]
    assert matching
    assert all(p.blocking and p.message and p.remedy for p in matching)


WARNING: list[tuple[dict[str, Any], str, str]] = [
    ({"validity": "有效", "effective_on": date(2027, 1, 1)}, "validity", "not_yet"),
    ({"validity": "尚未施行", "effective_on": date(2026, 1, 1)}, "validity", "already"),
    ({"validity": "有效", "expires_on": date(2026, 11, 20)}, "validity", "expired"),
    ({"issued_on": date(2026, 11, 10), "effective_on": date(2026, 11, 1)}, "effective_on", "order"),
    ({"issued_on": date(2026, 11, 12)}, "formed_on", "order"),
    ({"wording": {"weibo": {"text": "x"}}, "channels": ("website",)}, "wording.weibo", "unused"),
    ({"kind": "interpretation"}, "relations", "no_target"),
    ({"kind": "correction"}, "relations", "no_target"),
    ({"keywords": ("一", "一")}, "keywords", "repeated"),
]


@pytest.mark.parametrize(("changes", "field", "code"), WARNING, ids=lambda v: None if isinstance(v, dict) else v)
def test_what_is_only_odd_does_not_block(words: Vocabulary, changes: dict[str, Any], field: str, code: str) -> None:
    problems = found(words, **changes)
    assert (field, code) in {(p.field, p.code) for p in problems}
    assert not any(p.blocking for p in problems)


def test_blocking_problems_come_first(words: Vocabulary) -> None:
    order = [p.blocking for p in found(words, title="", kind="correction")]
    assert order == sorted(order, reverse=True)
    assert set(order) == {True, False}


def test_relations_are_checked_only_against_a_known_list(words: Vocabulary) -> None:
    relation = (RelationTo("corrects", "abc"),)
    assert not found(words, relations=relation)
    assert not problems_of(replace(GOOD, relations=relation), replace(words, items=frozenset({"abc"})), today=TODAY)
    assert problems_of(replace(GOOD, relations=relation), replace(words, items=frozenset({"abd"})), today=TODAY)


def test_a_withheld_item_with_reason_and_no_channel_is_fine(words: Vocabulary) -> None:
    assert not found(words, disclosure_attr="不予公开", channels=(), details={"withheld_reason": "条例第十六条"})


@pytest.mark.parametrize(
    ("written", "proper"),
    [
        ("云川民规[2026]2号", "云川民规〔2026〕2号"),
        ("云川民规（2026）02号", "云川民规〔2026〕2号"),
        ("云川民规【2026】第2号", "云川民规〔2026〕2号"),
        ("云川民规 〔２０２６〕 ２号", "云川民规〔2026〕2号"),
        ("云川民规2026年2号", "云川民规〔2026〕2号"),
        ("云川民规〔2026〕2", "云川民规〔2026〕2号"),
        ("民规〔2026〕000号", ""),
        ("2号文件", ""),
    ],
)
def test_document_numbers_get_a_hint(written: str, proper: str) -> None:
    assert doc_no_hint(written) == proper
    assert not proper or DOC_NO.fullmatch(proper)


@given(st.text("云川民规〔〕[]（）2026号第年 0", max_size=20))
def test_a_hint_is_always_proper(written: str) -> None:
    hint = doc_no_hint(written)
    assert not hint or DOC_NO.fullmatch(hint)


def test_unknown_names_get_the_nearest(words: Vocabulary) -> None:
    for written, near in (("民政局", "区民政局"), ("区人力资源社会保障局", "区人力资源和社会保障局"), ("教育", "区教育局")):
        answer = words.department(written)
        assert isinstance(answer, Problem)
        assert near in answer.remedy
    assert near_matches("养老", ["养老服务", "就业"]) == ["养老服务"]


def test_names_paths_and_slugs_find_the_same(words: Vocabulary) -> None:
    assert words.department("云川区民政局") == words.department("区民政局") == words.department("minzheng") == "minzheng"
    assert words.column("民生看点/通知公告") == words.column("民生看点", "通知公告") == words.column("tongzhi-gonggao") == "tongzhi-gonggao"
    assert words.column("发布现场", "通知公告") == "gonggao-xianchang"
    assert words.area("政务服务（不属于26个试点领域）") == "zhengwu-fuwu"
    ambiguous = words.column("通知公告")
    assert isinstance(ambiguous, Problem)
    assert "民生看点/通知公告" in ambiguous.remedy
    assert isinstance(words.column("权威发布", "监督抽检"), Problem)

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from channels.base import Finding, Publication, Severity
from channels.weibo.rendition import rendition
from channels.weibo.settings import Settings
from channels.weibo.text import FIELD, Rule, half_units, length, status_of, url_spans, with_url
from tests.channels.samples import FolderFiles, a_picture, a_publication

RULE = Rule()
URL = a_publication().url


def written(text: str) -> Publication:
    return a_publication(wording={"weibo": {"text": text}})


def codes(findings: list[Finding]) -> list[str]:
    return [finding.code for finding in findings]


# ------------------------------------------------------------------------------------------------------------ length


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 0),
        ("a", 1),
        ("ab", 1),
        ("abc", 2),
        ("云川", 2),
        ("云川a", 3),
        ("é÷ÿ", 2),
        ("ā", 1),
        ("😀", 2),
        ("\r\n", 1),
        ("a\r\nb", 2),
        ("http://a.cn/", 10),
        ("https://www.yunchuan.example/items/2026-000312/", 10),
        ("见http://a.cn/x 全文", 14),
        ("见http://a.cn/x全文", 13),
        ("http://a.cn/" + "x" * 128, 10),
        ("http://a.cn/" + "x" * 130, 11),
        ("http://a.cn/ http://b.cn/", 21),
    ],
)
def test_length_in_han_characters(text: str, count: int) -> None:
    assert length(text, RULE) == count


@given(st.text(), st.text())
def test_half_units_add_up(left: str, right: str) -> None:
    if not (left.endswith("\r") and right.startswith("\n")):
        assert half_units(left + right) == half_units(left) + half_units(right)


@given(st.text(st.characters(exclude_categories=("Cs",))))
def test_half_units_follow_utf_16(text: str) -> None:
    text = text.replace("\r\n", "")
    expected = sum(1 if ord(c) <= 0xFF else 4 if ord(c) > 0xFFFF else 2 for c in text)
    assert half_units(text) == expected


@given(st.text(st.sampled_from("云川ab1 。\n")), st.integers(1, 200))
def test_an_address_costs_the_same_wherever_it_stands(text: str, size: int) -> None:
    url = "https://a.cn/" + "x" * size
    excess = max(0, len(url) - 140)
    assert length(f"{text} {url}", RULE) == (half_units(text) + 1 + 20 + excess + 1) // 2


def test_punctuation_after_an_address_is_not_part_of_it() -> None:
    text = "(见http://a.cn/x)。另见http://b.cn/y, 完"
    assert [text[a:b] for a, b in url_spans(text)] == ["http://a.cn/x", "http://b.cn/y"]


# ------------------------------------------------------------------------------------------------ the editor's words


def test_the_editors_words_stay_and_get_the_address() -> None:
    text, findings = status_of(written("招聘公告来了，共26个岗位。"), RULE, ai_picture=False)
    assert text == f"招聘公告来了，共26个岗位。 {URL}"
    assert findings == []


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        (f"全文见{URL}欢迎转发", f"全文见{URL} 欢迎转发"),
        (f"全文见{URL} 欢迎转发", f"全文见{URL} 欢迎转发"),
        (f"全文（{URL}）", f"全文（{URL} ）"),
        (f"全文({URL})", f"全文({URL} )"),
        (f"{URL}", f"{URL}"),
        (f"全文见{URL[:-1]}", f"全文见{URL[:-1]}"),
        (f"另见{URL}attachments/1", f"另见{URL}attachments/1 {URL}"),
    ],
)
def test_the_address_stands_free(text: str, sent: str) -> None:
    assert status_of(written(text), RULE, ai_picture=False)[0] == sent


def test_topics_lose_their_marks_and_keep_their_words() -> None:
    text, findings = status_of(written("#云川发布#招聘公告 #就业#来了"), RULE, ai_picture=False)
    assert text == f"云川发布招聘公告 就业来了 {URL}"
    assert codes(findings) == ["weibo.text.topic"]
    assert findings[0].severity is Severity.WARN
    assert "“云川发布”“就业”" in findings[0].message


def test_a_hash_inside_an_address_is_no_topic() -> None:
    text, findings = status_of(written("见 https://a.cn/#top 与 https://a.cn/#end 两处"), RULE, ai_picture=False)
    assert text == f"见 https://a.cn/#top 与 https://a.cn/#end 两处 {URL}"
    assert findings == []


def test_too_long_is_said_with_the_count_and_never_cut() -> None:
    words = "云" * 125
    text, findings = status_of(written(words), RULE, ai_picture=False)
    assert text == f"{words} {URL}"
    assert codes(findings) == ["weibo.text.too_long"]
    assert findings[0].severity is Severity.BLOCK
    assert findings[0].field == FIELD
    assert "共 136 字" in findings[0].message
    assert "请减少 6 字" in findings[0].message


def test_the_house_limit_is_a_setting() -> None:
    publication = written("云" * 125)
    assert rendition(publication, Settings(operator_ip="203.0.113.9")).blocked
    assert not rendition(publication, Settings(operator_ip="203.0.113.9", text_limit=140)).blocked


@given(st.text(st.sampled_from("云川ab1#。 \n(http://a.cn/)、"), min_size=1, max_size=60))
@example("#http://a.cn/#x#")
@example("#")
def test_any_wording_carries_the_address_and_keeps_its_words(words: str) -> None:
    publication = written(words)
    text, findings = status_of(publication, RULE, ai_picture=False)
    assert URL in [text[a:b] for a, b in url_spans(text)]
    assert all(stop == len(text) or text[stop].isspace() for _, stop in url_spans(text))
    if publication.said("weibo", "text"):
        kept = text.replace(f" {URL}", "").replace(" ", "").replace("#", "")
        assert kept == words.strip().replace(" ", "").replace("#", "")
    assert with_url(text, URL) == text
    assert any(f.code == "weibo.text.too_long" for f in findings) == (length(text, RULE) > 130)


# ------------------------------------------------------------------------------------------------------- the default


def test_title_and_summary_make_the_default() -> None:
    text, findings = status_of(a_publication(), RULE, ai_picture=False)
    publication = a_publication()
    assert text == f"【{publication.title}】{publication.summary} {URL}"
    assert findings == []


def test_only_whole_sentences_are_taken() -> None:
    first, second = "甲" * 60 + "。", "乙" * 60 + "。"
    publication = a_publication(title="标题", summary=first + second)
    text, findings = status_of(publication, RULE, ai_picture=False)
    assert text == f"【标题】{first} {URL}"
    assert findings == []


def test_line_breaks_between_han_characters_disappear() -> None:
    publication = a_publication(title="标题", summary="各街道办事处：\n 为改善条件，制定本办法。\nA类 1项\n二、另行通知。")
    assert (
        status_of(publication, RULE, ai_picture=False)[0] == f"【标题】各街道办事处：为改善条件，制定本办法。 A类 1项二、另行通知。 {URL}"
    )


def test_no_question_is_left_hanging() -> None:
    publication = a_publication(title="标题", summary="近日印发办法。为什么出台？" + "因为" * 60 + "。")
    assert status_of(publication, RULE, ai_picture=False)[0] == f"【标题】近日印发办法。 {URL}"


def test_a_title_with_brackets_is_not_bracketed_again() -> None:
    publication = a_publication(title="【民生问答】营业执照怎么变更？", summary="")
    assert status_of(publication, RULE, ai_picture=False)[0] == f"【民生问答】营业执照怎么变更？ {URL}"


def test_a_title_that_does_not_fit_blocks_with_the_count() -> None:
    publication = a_publication(title="题" * 130)
    text, findings = status_of(publication, RULE, ai_picture=False)
    assert text == f"【{'题' * 130}】 {URL}"
    assert codes(findings) == ["weibo.text.too_long"]
    assert "标题连同网址共 143 字" in findings[0].message
    assert "不超过 120 字" in findings[0].message


def test_a_correction_says_so_first() -> None:
    publication = a_publication(revision=2, change_note="报名截止时间更正为12月5日", summary="旧摘要。")
    text, _ = status_of(publication, RULE, ai_picture=False)
    assert text == f"【更正】云川区2026年第四季度公益性岗位招聘公告。报名截止时间更正为12月5日。旧摘要。 {URL}"
    again = replace(publication, title="【更正】招聘公告")
    assert status_of(again, RULE, ai_picture=False)[0].startswith("【更正】招聘公告。报名截止")


def test_a_second_revision_without_a_note_is_no_correction() -> None:
    assert status_of(a_publication(revision=2), RULE, ai_picture=False)[0].startswith("【云川区")


@given(st.text(st.sampled_from("云川区。！？；a1 \n“”）"), max_size=200), st.text(st.sampled_from("题目b2"), min_size=1, max_size=110))
def test_the_default_fits_and_is_a_prefix(summary: str, title: str) -> None:
    publication = a_publication(title=title, summary=summary)
    text, findings = status_of(publication, RULE, ai_picture=False)
    assert text.endswith(f" {URL}")
    assert text.startswith(f"【{title}】")
    body = text.removeprefix(f"【{title}】").removesuffix(f" {URL}")
    assert "".join(summary.split()).startswith("".join(body.split()))
    assert not findings
    assert length(text, RULE) <= 130


# ------------------------------------------------------------------------------------------------ pictures, findings


def test_the_cover_goes_first_then_the_first_that_weibo_takes(tmp_path) -> None:  # type: ignore[no-untyped-def]
    files = FolderFiles(tmp_path)
    webp = a_picture(files, b"RIFF....WEBP", "image/webp", "动画.webp")
    big = a_picture(files, b"\x89PNG\r\n\x1a\n" + bytes(5_000_000), "image/png", "大图.png")
    good = a_picture(files)
    settings = Settings(operator_ip="203.0.113.9")

    made = rendition(a_publication(pictures=(webp, big, good)), settings)
    assert made.payload["picture"] == {"sha256": good.file.sha256, "media_type": "image/png", "alt": "办理流程图"}
    assert codes(list(made.findings)) == ["weibo.picture.skipped", "weibo.picture.skipped"]
    assert not made.blocked

    other = a_picture(files, b"\xff\xd8\xff....", "image/jpeg", "封面.jpg")
    covered = rendition(a_publication(pictures=(good, other), cover=other.file.sha256), settings)
    assert covered.payload["picture"]["sha256"] == other.file.sha256  # type: ignore[call-overload, index]

    named = a_publication(pictures=(good, webp), wording={"weibo": {"cover": webp.file.sha256}})
    assert rendition(named, settings).blocked
    assert rendition(replace(named, wording={"weibo": {"cover": "0" * 64}}), settings).blocked
    none = rendition(replace(named, wording={"weibo": {"cover": "none"}}), settings)
    assert none.payload["picture"] is None
    assert not none.findings


def test_ai_pictures_are_named_as_such(tmp_path) -> None:  # type: ignore[no-untyped-def]
    picture = replace(a_picture(FolderFiles(tmp_path)), ai_generated=True)
    settings = Settings(operator_ip="203.0.113.9")
    assert "（配图由AI生成）" in str(rendition(a_publication(pictures=(picture,)), settings).payload["text"])
    silent = rendition(replace(written("公告来了"), pictures=(picture,)), settings)
    assert codes(list(silent.findings)) == ["weibo.text.ai_label"]
    assert not rendition(replace(written("公告来了（图片由人工智能生成）"), pictures=(picture,)), settings).findings


def test_the_accounts_own_trouble_warns_and_does_not_block() -> None:
    made = rendition(a_publication(), Settings(safe_domains=("other.example",)))
    assert codes(list(made.findings)) == ["weibo.operator_ip", "weibo.text.domain"]
    assert not made.blocked
    assert not rendition(a_publication(), Settings(operator_ip="2001:db8::1", safe_domains=("yunchuan.example",))).findings

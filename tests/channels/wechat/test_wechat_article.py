"""The approved article: complete, deterministic, and honest about its limits."""

from __future__ import annotations

import base64
import io
import json
import random
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from PIL import Image

from channels.base import Publication, Relation, Rendition, Severity, StoredFile, sha256_hex
from channels.wechat.article import article
from channels.wechat.cover import draw_cover
from channels.wechat.settings import Settings
from tests.channels.samples import a_picture, a_publication, image


def made(publication: Publication, **settings: Any) -> Rendition:
    return article("wechat", publication, Settings(**settings))


def content(rendition: Rendition) -> str:
    value = rendition.payload["content"]
    assert isinstance(value, str)
    return value


def codes(rendition: Rendition, severity: Severity = Severity.BLOCK) -> list[str]:
    return [f.code for f in rendition.findings if f.severity is severity]


def test_the_same_publication_gives_the_same_bytes() -> None:
    publication = a_publication()
    assert made(publication).canonical == made(replace(publication)).canonical
    json.loads(made(publication).canonical)


def test_a_plain_notice_has_no_findings_but_its_author() -> None:
    rendition = made(a_publication())
    assert codes(rendition) == []
    assert codes(rendition, Severity.WARN) == ["wechat.author_long"]
    assert not made(a_publication(author="云川人社")).findings


@pytest.mark.parametrize(
    ("more", "code", "says"),
    [
        ({"title": "题" * 34}, "wechat.title_too_long", "微信标题 34 字，超过上限 32 字，请在“微信标题”中另拟"),
        ({"author": "者" * 17}, "wechat.author_too_long", "微信作者 17 字，超过上限 16 字"),
        ({"summary": "要" * 129}, "wechat.digest_too_long", "微信摘要 129 字，超过上限 128 字"),
        ({"body_html": f"<p>{'文' * 20_000}</p>"}, "wechat.content_too_long", "摘要＋阅读原文"),
        ({"wording": {"wechat": {"form": "全文"}}}, "wechat.form_unknown", "微信形式"),
        ({"wording": {"wechat": {"cover": "0" * 64}}}, "wechat.cover_missing", "微信封面不在本条信息的图片中"),
        ({"body_html": f'<img src="file:{"0" * 64}" alt="">'}, "wechat.picture_unlisted", "不在图片清单中"),
        ({"title": " "}, "wechat.title_missing", "微信标题为空"),
        ({"url": "https://www.yunchuan.example/" + "a" * 1024}, "wechat.url_too_long", "1024 字节"),
    ],
)
def test_limits_become_findings_with_numbers_and_remedy(more: dict[str, Any], code: str, says: str) -> None:
    rendition = made(a_publication(**{"title": "标题", **more}) if more.get("title") != " " else a_publication(title=""))
    assert codes(rendition) == [code]
    assert any(says in f.message for f in rendition.findings)
    assert rendition.blocked


def test_nothing_is_cut() -> None:
    rendition = made(a_publication(title="题" * 50, body_html=f"<p>{'文' * 30_000}</p>"))
    assert rendition.payload["title"] == "题" * 50
    assert "文" * 30_000 in content(rendition)


def test_limits_are_settings() -> None:
    assert codes(made(a_publication(title="题" * 60), title_limit=64)) == []


def test_a_long_regulation_is_published_as_digest() -> None:
    body = "".join(f"<p>第{n}条　{'规' * 190}</p>" for n in range(310))
    long = a_publication(title="云川区条例", body_html=body)
    assert len(body) > 60_000
    assert codes(made(long)) == ["wechat.content_too_long"]
    short = made(replace(long, wording={"wechat": {"form": "digest"}}))
    assert codes(short) == []
    assert "阅读原文" in content(short)
    assert long.summary in content(short)
    assert len(content(short)) < 2000


def test_the_body_counts_with_its_tags_and_its_pictures() -> None:
    picture = a_picture_of()
    body = f"<p>{'文' * 19_000}</p>" + f'<img src="file:{picture.file.sha256}" alt="图">' * 1
    publication = a_publication(body_html=body, pictures=(picture,))
    assert codes(made(publication)) == []
    assert codes(made(publication, image_url_reserve=600)) == ["wechat.content_too_long"]


def test_what_the_reader_must_know_is_there() -> None:
    publication = a_publication(
        subtitle="（征求意见稿）",
        doc_no="云川民规〔2026〕2号",
        source_kind="转载",
        source_url="https://www.example.gov.example/1.html",
        effective_on=date(2027, 1, 1),
        validity="尚未施行",
        attachments=(StoredFile("1" * 64, "附件1：岗位表<终>.xlsx", "application/x", 10),),
        relations=(Relation("interpreted_by", "2", "一图读懂《办法》", "https://www.yunchuan.example/items/2/"),),
        body_html='<p>见<a href="https://a.example/b">平台</a></p>',
    )
    text = content(made(publication))
    for words in (
        "来源：云川区人力资源和社会保障局",
        "转载自：https://www.example.gov.example/1.html",
        "索引号：YC0000106/2026-00312",
        "文号：云川民规〔2026〕2号",
        "成文日期：2026-11-16",
        "施行日期：2027-01-01",
        "效力状态：尚未施行",
        "1. 附件1：岗位表&lt;终&gt;.xlsx",
        "政策解读：一图读懂《办法》",
        "[1] https://a.example/b",
        "（征求意见稿）",
    ):
        assert words in text
    assert "<a " not in text


def test_wording_of_its_own() -> None:
    rendition = made(a_publication(wording={"wechat": {"title": " 岗位招聘来了 ", "digest": "招26人", "author": "云川人社"}}))
    assert (rendition.payload["title"], rendition.payload["digest"], rendition.payload["author"]) == ("岗位招聘来了", "招26人", "云川人社")
    assert "<strong>云川区2026年第四季度公益性岗位招聘公告</strong>" in content(rendition)


def test_without_a_summary_the_first_words_are_shown_and_said() -> None:
    rendition = made(a_publication(summary="", body_html=f"<p>{'甲' * 60}</p>"))
    assert rendition.payload["digest"] == "甲" * 54
    assert "wechat.digest_missing" in codes(rendition, Severity.WARN)


def test_a_correction_says_so_on_top() -> None:
    rendition = made(a_publication(revision=2, change_note="招聘人数更正为27名\n特此说明"))
    assert rendition.payload["title"] == "更正｜云川区2026年第四季度公益性岗位招聘公告"
    text = content(rendition)
    assert text.index("更正说明") < text.index("为帮助就业困难人员")
    assert "27名<br>特此说明" in text
    long = made(a_publication(revision=2, change_note="更正", title="题" * 31))
    assert long.payload["title"] == "题" * 31
    assert "更正说明" in content(long)


def test_the_cover_is_chosen_in_order() -> None:
    first, second = a_picture_of("#111111"), a_picture_of("#222222")
    body = f'<img src="file:{second.file.sha256}" alt="二">'
    publication = a_publication(body_html=body, pictures=(first, second))
    by_body = made(publication).payload["cover"]
    by_item = made(replace(publication, cover=first.file.sha256)).payload["cover"]
    by_wording = made(
        replace(publication, cover=second.file.sha256, wording={"wechat": {"cover": first.file.sha256}}),
    ).payload["cover"]
    assert [c["sha256"] for c in (by_body, by_item, by_wording)] == [  # type: ignore[index, call-overload]
        second.file.sha256,
        first.file.sha256,
        first.file.sha256,
    ]
    assert made(a_publication(), default_cover="9" * 64).payload["cover"] == {"source": "account", "sha256": "9" * 64, "alt": ""}


def test_a_drawn_cover_travels_with_the_payload() -> None:
    cover = made(a_publication()).payload["cover"]
    assert isinstance(cover, dict)
    png = base64.b64decode(str(cover["png"]))
    assert cover["sha256"] == sha256_hex(png)
    assert png == draw_cover("notices")
    assert draw_cover("notices") != draw_cover("policies")
    with Image.open(io.BytesIO(png)) as drawn:
        assert drawn.size == (900, 383)
    assert len(png) < 3000


@pytest.mark.parametrize(
    ("size", "media_type", "code"), [(11_000_000, "image/png", "cover_too_large"), (10, "image/svg+xml", "cover_type")]
)
def test_a_cover_the_platform_would_refuse(size: int, media_type: str, code: str) -> None:
    picture = a_picture_of()
    picture = replace(picture, file=replace(picture.file, size=size, media_type=media_type))
    rendition = made(a_publication(pictures=(picture,), cover=picture.file.sha256))
    assert codes(rendition) == [f"wechat.{code}"]


def test_hostile_words_stay_words() -> None:
    rendition = made(a_publication(change_note="<script>alert(1)</script>", revision=2, source='"><img src=x onerror=1>', index_no="<b>"))
    assert "<script" not in content(rendition)
    assert "<img" not in content(rendition)
    assert "&lt;script&gt;" in content(rendition)


def a_picture_of(colour: str = "#2b6cb0") -> Any:
    class Nowhere:
        def add(self, body: bytes, name: str, media_type: str) -> StoredFile:
            return StoredFile(sha256_hex(body), name, media_type, len(body))

    return a_picture(Nowhere(), image(colour=colour))  # type: ignore[arg-type]


def test_order_of_mappings_does_not_matter() -> None:
    pairs = [("title", "标题"), ("digest", "摘要"), ("author", "作者")]
    digests = set()
    for seed in range(4):
        random.Random(seed).shuffle(pairs)
        digests.add(made(a_publication(wording={"wechat": dict(pairs)})).digest)
    assert len(digests) == 1

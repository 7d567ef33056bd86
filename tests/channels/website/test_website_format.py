"""What reviewers sign, and what is found wrong before they do."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.base import Named, Picture, Publication, Relation, Severity, StoredFile
from channels.website.addresses import file_place, stored_name
from channels.website.details import blocks
from channels.website.look import ending, moment, safe_json, size
from channels.website.markup import KNOWN, resolve
from channels.website.payload import build
from tests.channels.website.district import NOTICE, SITE, item

SHA = "a" * 64
PICTURE = Picture(StoredFile(SHA, "图.png", "image/png", 9), "办理流程图", 90, 60)
PDF = StoredFile("b" * 64, "表.pdf", "application/pdf", 9)


def codes(publication: Publication) -> set[str]:
    return {f"{finding.field}:{finding.code}:{finding.severity}" for finding in build(publication, SITE)[1]}


def test_a_complete_item_has_no_findings_and_always_the_same_bytes() -> None:
    publication = item("A-1", pictures=(PICTURE,), attachments=(PDF,), body_html=f'<p>见图</p><img src="file:{SHA}" alt="">')
    payload, findings = build(publication, SITE)
    assert findings == ()
    assert payload == build(publication, SITE)[0]
    assert payload["pictures"] == [
        {
            "sha256": SHA, "name": "图.png", "media_type": "image/png", "size": 9, "path": f"/files/aa/{SHA}/%E5%9B%BE.png",
            "alt": "办理流程图", "width": 90, "height": 60, "ai_generated": False, "caption": "",
        }
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "finding"),
    [
        ({"title": " "}, "title:empty:block"),
        ({"body_html": "<p> </p>"}, "body:empty:block"),
        ({"source": ""}, "source:empty:block"),
        ({"summary": ""}, "summary:empty:warn"),
        ({"disclosure_attr": "不予公开"}, "disclosure_attr:not-proactive:block"),
        ({"source_kind": "转载"}, "source_url:empty:warn"),
        ({"source_url": "javascript:alert(1)"}, "source_url:scheme:block"),
        ({"effective_on": date(2027, 1, 2), "expires_on": date(2027, 1, 1)}, "expires_on:before-effective:block"),
        ({"relations": (Relation("interprets", "A-1", "甲", ""),)}, "relations:self:block"),
        ({"relations": (Relation("interprets", "../../x", "甲", ""),)}, "relations:address:block"),
        ({"body_html": f'<p>图</p><img src="file:{SHA}" alt="x">'}, "body:picture-unknown:block"),
        ({"body_html": "<p>文</p><script>x()</script>"}, "body:markup:block"),
        ({"body_html": '<p><a href="javascript:x()">文</a></p>'}, "body:markup:block"),
        ({"pictures": (replace(PICTURE, alt=""),)}, "pictures:alt-missing:block"),
        ({"pictures": (replace(PICTURE, alt=""),), "body_html": f'<img src="file:{SHA}" alt=" ">'}, "pictures:alt-missing:block"),
        ({"pictures": (replace(PICTURE, file=replace(PICTURE.file, media_type="image/svg+xml")),)}, "pictures:media-type:block"),
        ({"cover": SHA}, "cover:unknown:block"),
        ({"attachments": (replace(PDF, media_type="text/html; charset=utf-8"),)}, "attachments.0:active-content:block"),
        ({"attachments": (replace(PDF, size=0),)}, "attachments.0:empty:block"),
        ({"attachments": (replace(PDF, sha256="../x"),)}, "attachments:digest:block"),
        ({"department": Named("区 民政局", "区民政局")}, "department:address:block"),
        ({"column": replace(NOTICE, parents=(Named("../..", "甲"),))}, "column:address:block"),
        ({"area": Named("", "甲")}, "area:address:block"),
        ({"public_id": "page"}, "public_id:address:block"),
        ({"public_id": "a/b"}, "public_id:address:block"),
    ],
)
def test_findings(change: dict[str, Any], finding: str) -> None:
    assert finding in codes(replace(item("A-1"), **change))


def test_a_picture_described_in_the_text_needs_no_other_words() -> None:
    described = item("A-1", pictures=(replace(PICTURE, alt=""),), body_html=f'<img src="file:{SHA}" alt="流程">')
    assert codes(described) == set()


def test_findings_say_what_to_do() -> None:
    for change in ({"title": ""}, {"pictures": (replace(PICTURE, alt=""),)}, {"cover": SHA}):
        for finding in build(replace(item("A-1"), **change), SITE)[1]:
            assert finding.severity is Severity.BLOCK
            assert "请" in finding.message


# ---------------------------------------------------------------------------------------------------------------- body


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.text: list[str] = []
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, _attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def read(markup: str) -> _Text:
    parser = _Text()
    parser.feed(markup)
    parser.close()
    return parser


texts = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=12)
inner = st.recursive(
    texts.map(lambda text: text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")),
    lambda children: st.tuples(st.sampled_from(["p", "strong", "li", "td", "h2", "blockquote"]), st.lists(children, max_size=3)).map(
        lambda pair: f"<{pair[0]}>{''.join(pair[1])}</{pair[0]}>"
    ),
    max_leaves=8,
)


@given(inner)
def test_words_and_marks_of_the_body_stay_as_they_are(body: str) -> None:
    before, after = read(body), read(resolve(body, {}, "www.yunchuan.example").html)
    assert "".join(after.text) == "".join(before.text)
    assert after.tags == before.tags


@given(st.text(max_size=80))
def test_whatever_comes_in_only_known_marks_come_out(body: str) -> None:
    assert set(read(resolve(body, {}, "a.example").html).tags) <= KNOWN | {"div", "span"}


def test_handlers_and_styles_do_not_get_through() -> None:
    found = resolve('<p onclick="x()" style="y">文<img src="http://a/x.png" onerror="x()"></p>', {}, "a.example")
    assert found.html == "<p>文</p>"
    assert found.unknown == ("http://a/x.png",)


@pytest.mark.parametrize(
    ("href", "marked"),
    [
        ("https://www.gov.cn/x", False),
        ("https://mzt.jiangsu.gov.cn/", False),
        ("https://www.yunchuan.example/items/A/", False),
        ("/items/A/", False),
        ("mailto:a@b.cn", False),
        ("https://notgov.cn/", True),
        ("http://library.example.com/winter", True),
    ],
)
def test_links_that_leave_the_government_are_marked(href: str, marked: bool) -> None:
    assert ('class="external"' in resolve(f'<a href="{href}">x</a>', {}, "www.yunchuan.example").html) is marked


def test_tables_get_a_frame_a_keyboard_can_scroll() -> None:
    html = resolve('<table><tr><td colspan="2">1</td></tr></table>', {}, "a").html
    assert html.startswith('<div class="scroll" role="region"')
    assert 'tabindex="0"' in html
    assert '<td colspan="2">' in html
    assert html.endswith("</table></div>")


def test_pictures_made_by_a_machine_say_so() -> None:
    html = resolve(f'<img src="file:{SHA}" alt="x">', {SHA: replace(PICTURE, ai_generated=True)}, "a").html
    assert "由人工智能生成" in html


# ------------------------------------------------------------------------------------------------------------- details


def test_only_what_is_for_the_public_is_shown_of_the_details() -> None:
    details = {"qa": {"asker": "网民（匿名）", "phone": "13800138000"}, "catalogue_row": {"公开依据": "x"}, "warning": {}}
    payload, _ = build(item("A-1", details=details), SITE)
    assert set(payload["details"]) == {"qa"}  # type: ignore[arg-type]
    assert [(block.title, block.rows) for block in blocks(payload["details"])] == [("问答信息", (("提问人", "网民（匿名）"),))]  # type: ignore[arg-type]


def test_details_of_an_unforeseen_shape_are_shown_as_text() -> None:
    assert blocks({"warning": {"level": "红色", "measures": ["甲", "乙"], "starts_at": "明天"}})[0].rows == (
        ("级别", "红色"),
        ("起始时间", "明天"),
        ("应当采取的措施", "甲；乙"),
    )
    assert blocks({"warning": "文字"}) == []


def test_times_are_shown_in_beijing_time() -> None:
    assert moment("2026-11-21T16:00:00+08:00") == "2026-11-21 16:00"
    assert moment("2026-11-21T16:00:00.000000+00:00") == "2026-11-22 00:00"
    assert moment("2026-11-21") == "2026-11-21"
    assert moment("次日") == "次日"


# --------------------------------------------------------------------------------------------------------------- names


@given(st.text(max_size=300))
def test_a_file_name_is_a_name_in_its_folder(name: str) -> None:
    stored = stored_name(name)
    assert 0 < len(stored.encode(errors="surrogatepass")) <= 200
    assert "/" not in stored
    assert "\\" not in stored
    assert stored not in (".", "..")
    assert not stored.startswith(".")


def test_a_long_name_keeps_its_ending() -> None:
    assert stored_name("表" * 200 + ".xlsx").endswith("表.xlsx")
    assert file_place(SHA, "../a.pdf") == f"aa/{SHA}/_a.pdf"


def test_sizes_and_endings_for_people() -> None:
    assert [size(n) for n in (0, 1023, 1536, 5 << 20)] == ["0 字节", "1023 字节", "1.5 KB", "5.0 MB"]
    assert [ending(n) for n in ("表.xlsx", "无", "a.tar.gz")] == ["XLSX", "文件", "GZ"]


@given(st.text())
def test_json_in_a_page_cannot_end_its_element(text: str) -> None:
    import json

    written = str(safe_json({"x": text}))
    assert json.loads(written) == {"x": text}
    assert not set("<>&\u2028\u2029") & set(written)

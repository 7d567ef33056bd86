"""One item as a Word document."""

from __future__ import annotations

import io
from datetime import date
from pathlib import Path
from typing import Any

import docx
import pytest
from docx.enum.text import WD_ALIGN_PARAGRAPH

from hub.intake.files import FileStore
from tests.intake import papers
from tests.intake.conftest import EXAMPLES, Read, only, refusal


@pytest.fixture
def paper(tmp_path: Path) -> Any:
    """``paper(build)``: ``build`` gets an empty python-docx document."""

    def write(build: Any, name: str = "通知.docx") -> Path:
        document = docx.Document()
        build(document)
        papers.lean(document)
        out = io.BytesIO()
        document.save(out)
        (tmp_path / name).write_bytes(out.getvalue())
        return tmp_path / name

    return write


def centred(document: Any, text: str) -> None:
    document.add_paragraph(text).alignment = WD_ALIGN_PARAGRAPH.CENTER


def right(document: Any, text: str) -> None:
    document.add_paragraph(text).alignment = WD_ALIGN_PARAGRAPH.RIGHT


def official(document: Any) -> None:
    """A notice as offices write it: letterhead, number, centred title, body, signature, day, note."""
    centred(document, "特急")
    centred(document, "云川区民政局文件")
    centred(document, "云川民规〔2026〕2号")
    centred(document, "关于印发补贴办法的通知")
    document.add_paragraph("各街道办事处：")
    document.add_paragraph("现将办法印发给你们，请遵照执行。")
    document.add_heading("第一章 总则", level=1)
    document.add_paragraph("第一条 为了保障权益，制定本办法。")
    document.add_heading("一、对象", level=2)
    document.add_paragraph("特困人员", style="List Bullet")
    document.add_paragraph("低保人员", style="List Bullet")
    document.add_paragraph("申请", style="List Number")
    table = document.add_table(rows=2, cols=2)
    for cell, text in zip([c for row in table.rows for c in row.cells], ["项目", "金额", "扶手", "400"], strict=True):
        cell.text = text
    right(document, "云川区民政局")
    right(document, "2026年11月10日")
    document.add_paragraph("（此件公开发布）")


def test_an_official_notice_is_understood(read: Read, paper: Any) -> None:
    taken = only(read(paper(official), defaults={"公开主体": "区民政局", "栏目": "行政规范性文件", "信息类型": "政策文件"}))
    content = taken.content
    assert content.title == "关于印发补贴办法的通知"
    assert content.doc_no == "云川民规〔2026〕2号"
    assert content.issued_on == content.formed_on == date(2026, 11, 10)
    body = content.body
    assert body.startswith("<p>各街道办事处：</p>")
    assert "<h2>第一章 总则</h2>" in body
    assert "<h3>一、对象</h3>" in body
    assert "<ul><li>特困人员</li><li>低保人员</li></ul><ol><li>申请</li></ol>" in body
    assert "<td><p>扶手</p></td><td><p>400</p></td>" in body
    assert "文件</p>" not in body
    assert "特急" not in body
    assert body.endswith("<p>云川区民政局</p><p>2026年11月10日</p><p>（此件公开发布）</p>")
    assert not taken.problems


def title_style(document: Any) -> None:
    document.add_paragraph("前言一句。")
    document.add_paragraph("样式标题", style="Title")


def heading(document: Any) -> None:
    document.add_heading("一级标题", level=1)
    document.add_paragraph("正文。")


def bare(document: Any) -> None:
    document.add_paragraph("只有正文。")


@pytest.mark.parametrize(("build", "title"), [(title_style, "样式标题"), (heading, "一级标题"), (bare, "通知")])
def test_the_title_is_found_or_is_the_file_name(read: Read, paper: Any, build: Any, title: str) -> None:
    content = only(read(paper(lambda d: (build(d), d.add_paragraph("内容。"))))).content
    assert content.title == title
    assert title not in content.body or build is bare


def test_a_chinese_date_is_read(read: Read, paper: Any) -> None:
    def build(document: Any) -> None:
        document.add_paragraph("内容。")
        right(document, "二〇二六年十一月三日")

    assert only(read(paper(build))).content.issued_on == date(2026, 11, 3)


def with_pictures(document: Any) -> None:
    for index, alt in enumerate(("活动现场，市民正在咨询", "", "图片 1", "DSC0001.JPG")):
        shape = document.add_picture(io.BytesIO(papers.picture(size=(40 + index, 30))))
        shape._inline.docPr.set("descr", alt)


def test_pictures_are_kept_with_their_description_and_a_missing_one_is_told(read: Read, paper: Any, store: FileStore) -> None:
    taken = only(read(paper(with_pictures)))
    assert [f.alt for f in taken.content.files] == ["活动现场，市民正在咨询", "", "", ""]
    assert [p.code for p in taken.problems] == ["alt_missing"] * 3
    for use in taken.content.files:
        assert f'src="file:{use.sha256}"' in taken.content.body
        assert store.path(use.sha256).is_file()


def test_links_are_kept_and_scripts_cannot_come_in(read: Read, tmp_path: Path) -> None:
    path = tmp_path / "链接.docx"
    package = papers.word("正文")
    body = (
        '<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" '
        'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><w:body><w:p>'
        '<w:hyperlink r:id="a"><w:r><w:t>网站</w:t></w:r></w:hyperlink><w:hyperlink r:id="b"><w:r><w:t>脚本</w:t></w:r></w:hyperlink>'
        "</w:p></w:body></w:document>"
    )
    kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/hyperlink"
    links = "".join(
        f'<Relationship Id="{key}" Type="{kind}" TargetMode="External" Target="{target}"/>'
        for key, target in (("a", "https://www.yunchuan.example/x"), ("b", "javascript:alert(1)"))
    )
    relations = f'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{links}</Relationships>'
    package = papers.with_part(
        papers.with_part(package, "word/document.xml", body.encode()), "word/_rels/document.xml.rels", relations.encode()
    )
    path.write_bytes(package)
    taken = only(read(path))
    assert '<a href="https://www.yunchuan.example/x">网站</a>脚本' in taken.content.body
    assert "javascript" in taken.problems[0].message


def test_the_example_papers_are_read(read: Read) -> None:
    content = only(read(EXAMPLES / "attachments" / "附件1：学区划分方案（征求意见稿）.docx")).content
    assert content.title == "2027年义务教育阶段学区划分方案（征求意见稿）"
    assert content.body.count("<tr>") == 6
    assert content.body.startswith("<h2>一、基本原则</h2>")
    assert content.issued_on == date(2026, 11, 13)


def test_the_same_file_has_the_same_reference_in_one_department(read: Read, paper: Any) -> None:
    path = paper(official)
    first, again = only(read(path)), only(read(path))
    assert (first.external_ref, first.digest) == (again.external_ref, again.digest)
    other = only(read(path, defaults={"公开主体": "区教育局", "栏目": "意见征集", "信息类型": "policy"}))
    assert other.external_ref != first.external_ref


@pytest.mark.parametrize(
    ("name", "data", "code"),
    [
        ("坏.docx", b"", "broken"),
        ("坏.docx", b"nothing", "broken"),
        ("坏.docx", papers.word("字")[:2000], "broken"),
        ("坏.docx", papers.excel(["一"]), "broken"),
        ("坏.docx", papers.with_part(papers.word("字"), "word/document.xml", b"<broken"), "broken"),
        ("坏.docx", papers.with_part(papers.word("字"), "word/document.xml", b"<a/>"), "broken"),
        ("宏.docx", papers.with_part(papers.word("字"), "word/vbaProject.bin", b"x"), "macro"),
        ("密.docx", papers.ole("EncryptedPackage"), "encrypted"),
        ("密.docx", papers.word("机密★1年", "通知"), "secrecy_mark"),
        ("【秘密】通知.docx", papers.word("通知"), "secrecy_mark"),
        ("弹.docx", papers.with_part(papers.word("字"), "word/document.xml", b" " * 30_000_000), "bomb"),
        ("大.docx", papers.with_part(papers.word("字"), "word/document.xml", bytes(range(32, 127)) * 200_000), "bomb"),
        ("旧.doc", papers.ole("WordDocument"), "type"),
        ("文.pdf", papers.pdf(["字"]), "type"),
    ],
)
def test_bad_files_are_one_refusal(read: Read, tmp_path: Path, name: str, data: bytes, code: str) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    refused = refusal(read(path))
    assert [p.code for p in refused.problems] == [code]
    assert refused.problems[0].remedy

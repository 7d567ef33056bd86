"""Classified papers stay out; words about secrets do not."""

from __future__ import annotations

import io
from typing import Any

import pytest
from docx.oxml import parse_xml
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook

from hub.domain.problems import Invalid
from hub.intake.extract import parts_of
from hub.intake.files import FileStore
from hub.intake.secrecy import find_mark, mark_in, mark_in_name
from tests.intake import papers

MARKS = [
    "机密★1年",
    "秘密★",
    "绝密★长期",
    "机　密★１０年",
    "秘密★6个月",
    "  机密 ★ 1年  ",
    "【机密】",
    "秘 密",
    "绝密",
    "机密级",
    "密级：秘密",
    "密级和保密期限：机密★5年",
    "000001 机密★1年",
    "000012　机密★1年　特急",
    "秘密★启用前",
    "No.000123 秘密★3年",
]
PROSE = [
    "为了保守国家秘密，维护国家安全和利益，制定本法。",
    "根据《中华人民共和国保守国家秘密法》及其实施条例，结合本区实际，制定本办法。",
    "涉及商业秘密、个人隐私的政府信息不得公开。",
    "国家秘密的密级分为绝密、机密、秘密三级。",
    "机密级计算机不得接入互联网。",
    "申请材料中属于商业秘密的，请注明“商业秘密”。",
    "“机密★1年”是密级标志的标注示例。",
    "本文件不涉密，可以公开。",
    "密级：公开",
    "210000",
    "2026年11月16日",
    "秘密花园主题公园冬季开放",
]


@pytest.mark.parametrize("mark", MARKS)
def test_marks_are_found_at_the_head(mark: str) -> None:
    found = find_mark(f"\n{mark}\n关于某事项的通知\n各单位：")
    assert found is not None
    assert found.text


@pytest.mark.parametrize("line", PROSE)
def test_prose_about_secrets_is_no_mark(line: str) -> None:
    text = "关于保密宣传月活动的通知\n" + line + "\n请遵照执行。"
    assert find_mark(text) is None


@given(st.text("保守国家商业秘密机绝法。，、为了的", min_size=1, max_size=40))
def test_a_sentence_with_a_full_stop_is_never_a_lone_mark(words: str) -> None:
    assert find_mark(f"第一条 {words}。") is None


def test_a_starred_mark_counts_anywhere_a_bare_word_only_at_the_head() -> None:
    filler = "\n".join(f"第{n}条 内容。" for n in range(30))
    assert find_mark(f"{filler}\n机密★1年")
    assert find_mark(f"{filler}\n秘密") is None


@pytest.mark.parametrize(
    "name",
    ["【机密】人员名单.docx", "机密★1年 通知.pdf", "(秘密)方案.docx", "绝密.txt", "机密-名单.xlsx", "方案［秘密］.docx", "机密文件.doc"],
)
def test_marked_file_names(name: str) -> None:
    assert mark_in_name(name)


@pytest.mark.parametrize(
    "name", ["保守国家秘密法.md", "机密文件管理办法.docx", "商业秘密保护指南.pdf", "秘密花园.txt", "人民警察（绝密岗位）管理.pdf"]
)
def test_ordinary_file_names(name: str) -> None:
    assert mark_in_name(name) is None


def header(document: Any) -> None:
    document.sections[0].header.paragraphs[0].text = "机密★1年"


def footer(document: Any) -> None:
    document.sections[0].footer.paragraphs[0].text = "秘密★3年"


def table(document: Any) -> None:
    document.add_table(rows=1, cols=2).cell(0, 0).text = "绝密★长期"


def split_runs(document: Any) -> None:
    paragraph = document.paragraphs[0].insert_paragraph_before("机")
    paragraph.add_run("密★")
    paragraph.add_run("1年")


def text_box(document: Any) -> None:
    box = (
        '<w:r xmlns:v="urn:schemas-microsoft-com:vml" '
        'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:pict><v:shape>'
        "<v:textbox><w:txbxContent><w:p><w:r><w:t>机密</w:t></w:r></w:p></w:txbxContent></v:textbox></v:shape></w:pict></w:r>"
    )
    document.paragraphs[-1]._p.append(parse_xml(box))


@pytest.mark.parametrize("arrange", [header, footer, table, split_runs, text_box], ids=lambda f: f.__name__)
def test_a_word_file_is_searched_everywhere(store: FileStore, arrange: Any) -> None:
    with pytest.raises(Invalid) as caught:
        store.take("通知.docx", papers.word(*["第一条 内容。"] * 20, arrange=arrange))
    (problem,) = caught.value.problems
    assert problem.code == "secrecy_mark"
    assert "通知.docx" in problem.message
    assert "不得上传" in problem.remedy


def test_a_copy_number_at_the_top_counts_elsewhere_it_does_not(store: FileStore) -> None:
    with pytest.raises(Invalid, match="份号"):
        store.take("通知.docx", papers.word("000003", "某某文件"))
    assert store.take("通知.docx", papers.word("通知", "邮编", "210000"))


def test_every_page_of_a_pdf_is_searched(store: FileStore) -> None:
    with pytest.raises(Invalid, match="第2页"):
        store.take("公告.pdf", papers.pdf(["公告", "内容"], ["机密★1年", "附件"]))
    assert store.take("公告.pdf", papers.pdf(["关于商业秘密保护的公告", "保守国家秘密"]))


def test_every_sheet_of_a_workbook_is_searched(store: FileStore) -> None:
    def second_sheet(workbook: Workbook) -> None:
        workbook.create_sheet("名单")["B2"] = "秘密★1年"

    with pytest.raises(Invalid, match="工作表“名单” B2"):
        store.take("表.xlsx", papers.excel(["一"], arrange=second_sheet))
    assert store.take("表.xlsx", papers.excel(["事项", "说明"], ["定密", "国家秘密的密级分为绝密、机密、秘密"]))


def test_text_slides_ofd_and_old_files_are_searched(store: FileStore) -> None:
    slide = "<p:sld xmlns:p='p' xmlns:a='a'><a:p><a:r><a:t>机密★</a:t></a:r><a:r><a:t>1年</a:t></a:r></a:p></p:sld>".encode()
    marked = {
        "稿.txt": "机密★1年\n通知".encode("gb18030"),
        "演.pptx": papers.zipped({"ppt/presentation.xml": b"<p/>", "ppt/slides/slide1.xml": slide}),
        "版.ofd": papers.zipped(
            {"OFD.xml": b"<O/>", "Doc_0/Pages/Page_0/Content.xml": "<P><T><TextCode>机密★1年</TextCode></T></P>".encode()}
        ),
        "旧.doc": papers.ole("WordDocument", text="机密★1年"),
    }
    for name, data in marked.items():
        with pytest.raises(Invalid, match="涉密标志"):
            store.take(name, data)


def test_a_mark_names_where_it_stands() -> None:
    mark = mark_in(parts_of(io.BytesIO(papers.word("正文", arrange=header)), "docx"))
    assert mark is not None
    assert (mark.text, mark.where) == ("机密★1年", "页眉")

"""Items as rows of a spreadsheet, and the form they are written in."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook, load_workbook

from hub.intake.report import Refused, Taken
from hub.intake.sources.xlsx_rows import write_template
from hub.intake.vocabulary import Vocabulary
from tests.intake import papers
from tests.intake.conftest import Read, only, refusal

HEAD = ["标题", "正文", "信息类型", "公开主体", "栏目", "形成日期"]
ROW = ["招聘公告", "第一段。\n第二段。", "通知公告", "区民政局", "民生看点/通知公告", "2026-11-16"]


@pytest.fixture
def table(tmp_path: Path) -> Any:
    def write(*rows: list[Any], arrange: Any = lambda _w: None) -> Path:
        path = tmp_path / "台账.xlsx"
        path.write_bytes(papers.excel(*rows, arrange=arrange))
        return path

    return write


def test_the_template_reads_back(read: Read, words: Vocabulary, tmp_path: Path) -> None:
    path = tmp_path / "模板.xlsx"
    write_template(path, words)
    first = path.read_bytes()
    write_template(path, words)
    assert path.read_bytes() == first
    assert refusal(read(path)).problems[0].code == "no_rows"
    workbook = load_workbook(path)
    sheet = workbook["信息"]
    assert workbook.sheetnames[1] == "填写说明"
    headers = {str(c.value).rstrip("*"): c.column for c in sheet[1]}
    listed = {str(rule.sqref).split(":")[0].rstrip("0123456789") for rule in sheet.data_validations.dataValidation}
    for label in ("信息类型", "公开主体", "栏目", "领域", "公开属性", "审核级别", "紧急程度", "发布渠道"):
        assert sheet.cell(row=1, column=headers[label]).column_letter in listed
    assert sheet.cell(row=3, column=headers["形成日期"]).number_format == "@"
    values = dict(zip(HEAD, ROW, strict=True)) | {
        "发布渠道": "网站、订阅、微信",
        "微信标题": "短标题",
        "关键词": "就业；招聘",
        "审核级别": "Ｂ",
        "编号": "A-1",
        "领域": "就业",
        "发文字号": "云川民规〔２０２６〕2号",
    }
    for label, value in values.items():
        sheet.cell(row=3, column=headers[label], value=value)
    workbook.save(path)
    taken = only(read(path, defaults={}))
    content = taken.content
    assert (taken.row, taken.external_ref) == (3, "A-1")
    assert (content.department, content.column, content.area, content.kind) == ("minzheng", "tongzhi-gonggao", "jiuye", "notice")
    assert content.channels == ("website", "feed", "wechat")
    assert content.keywords == ("就业", "招聘")
    assert content.grade == "B"
    assert content.doc_no == "云川民规〔2026〕2号"
    assert content.wording == {"wechat": {"title": "短标题"}}
    assert content.body == "<p>第一段。</p><p>第二段。</p>"


NOON = datetime(2026, 11, 16, 12, tzinfo=UTC).replace(tzinfo=None)
"""Spreadsheets know no zones."""


@pytest.mark.parametrize("written", ["2026-11-16", "2026年11月16日", "2026.11.16", "２０２６/11/16", NOON, date(2026, 11, 16), 46342])
def test_dates_in_every_form(read: Read, table: Any, written: object) -> None:
    assert only(read(table(HEAD, [*ROW[:5], written]), defaults={})).content.formed_on == date(2026, 11, 16)


def test_rows_stand_for_themselves(read: Read, table: Any) -> None:
    other = ["第二个公告", *ROW[1:]]
    results = read(
        table(["2026年公开台账"], [], HEAD, ROW, [], ["", *ROW[1:]], other, [None] * 6, ["x", *ROW[1:5], "2026-13-01"]), defaults={}
    )
    assert [(type(r), r.row) for r in results] == [(Taken, 4), (Refused, 6), (Taken, 7), (Refused, 9)]
    bad = results[1], results[3]
    assert [[(p.field, p.code) for p in r.problems] for r in bad if isinstance(r, Refused)] == [
        [("title", "required")],
        [("formed_on", "bad_date")],
    ]


def test_the_same_row_twice_is_told(read: Read, table: Any) -> None:
    results = read(table(HEAD, ROW, ROW), defaults={})
    assert isinstance(results[0], Taken)
    assert isinstance(results[1], Refused)
    assert "第2行" in results[1].problems[0].message


def test_merged_cells_count_for_every_row(read: Read, table: Any) -> None:
    def merge(workbook: Workbook) -> None:
        workbook.worksheets[0].merge_cells("D2:D3")

    second = ["另一公告", *ROW[1:3], None, *ROW[4:]]
    results = read(table(HEAD, ROW, second, arrange=merge), defaults={})
    assert [r.content.department for r in results if isinstance(r, Taken)] == ["minzheng", "minzheng"]


def test_own_headers_are_mapped(read: Read, table: Any) -> None:
    path = table(["事项名称", "要素内容", "责任科室"], ["名单公示", "内容。", "某科"])
    assert refusal(read(path)).problems[0].code == "no_header"
    taken = only(read(path, mapping={"事项名称": "title", "要素内容": "正文"}))
    assert taken.content.title == "名单公示"
    assert [(p.field, p.code) for p in taken.problems] == [("责任科室", "unknown_header")]


def test_attachments_and_pictures_lie_beside(read: Read, table: Any, tmp_path: Path) -> None:
    for folder, name, data in (("attachments", "岗位表.xlsx", papers.excel(["一"])), ("images", "现场.png", papers.picture())):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / name).write_bytes(data)
    path = table([*HEAD, "附件", "图片", "图片说明"], [*ROW, "岗位表.xlsx", "现场.png", "招聘会现场"])
    files = only(read(path, defaults={})).content.files
    assert [(f.name, f.role, f.alt) for f in files] == [("岗位表.xlsx", "attachment", ""), ("现场.png", "picture", "招聘会现场")]


def test_what_looks_like_a_formula_and_errors_in_cells(read: Read, table: Any) -> None:
    def error(workbook: Workbook) -> None:
        cell = workbook.worksheets[0]["B2"]
        cell.value, cell.data_type = "#REF!", "e"

    refused = refusal(read(table(HEAD, ROW, arrange=error), defaults={}))
    assert ("body", "cell_error") in {(p.field, p.code) for p in refused.problems}


def test_a_sheet_with_a_secrecy_mark_is_refused(read: Read, table: Any) -> None:
    assert refusal(read(table(["机密★1年"], HEAD, ROW), defaults={})).problems[0].code == "secrecy_mark"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "broken"),
        (b"not a zip", "broken"),
        (papers.excel(HEAD, ROW)[:900], "broken"),
        (papers.with_part(papers.excel(HEAD, ROW), "xl/workbook.xml", b"<broken"), "broken"),
        (papers.with_part(papers.excel(HEAD, ROW), "xl/worksheets/sheet1.xml", b"<broken"), "broken"),
        (papers.ole("EncryptedPackage"), "encrypted"),
        (papers.ole("Workbook"), "broken"),
        (papers.excel(["甲", "乙"], [1, 2]), "no_header"),
        (papers.with_part(papers.excel(HEAD), "xl/worksheets/sheet1.xml", b"<w>" + b" " * 30_000_000 + b"</w>"), "bomb"),
    ],
)
def test_broken_workbooks_are_one_refusal(read: Read, tmp_path: Path, data: bytes, code: str) -> None:
    path = tmp_path / "坏.xlsx"
    path.write_bytes(data)
    refused = refusal(read(path))
    assert [p.code for p in refused.problems] == [code]
    assert refused.problems[0].remedy


def test_the_same_sheet_saved_later_is_unchanged(read: Read, tmp_path: Path) -> None:
    path = tmp_path / "台账.xlsx"
    digests = []
    for year in (2024, 2026):
        workbook = load_workbook(io.BytesIO(papers.excel(HEAD, ROW)))
        workbook.properties.created = datetime(year, 1, 1, tzinfo=UTC).replace(tzinfo=None)
        workbook.save(path)
        taken = only(read(path, defaults={}))
        digests.append((taken.external_ref, taken.digest))
    assert digests[0] == digests[1]


def test_a_stray_format_far_below_costs_nothing(read: Read, table: Any) -> None:
    def stray(workbook: Workbook) -> None:
        workbook.worksheets[0].cell(row=1_048_576, column=3).number_format = "@"

    assert only(read(table(HEAD, ROW, arrange=stray), defaults={})).row == 2

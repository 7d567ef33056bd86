"""The empty spreadsheet form (导入模板) that ``xlsx_rows`` reads."""

from __future__ import annotations

from pathlib import Path

from openpyxl import Workbook
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter, quote_sheetname
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from hub.domain.content import DISCLOSURE_ATTRS, GENRES, GRADES, KINDS, SOURCE_KINDS, URGENCIES, VALIDITIES
from hub.intake.fields import DATES, label_of
from hub.intake.sources.workbooks import HEADER_FILL, workbook_bytes
from hub.intake.vocabulary import Vocabulary

EXAMPLE = "示例"
"""A row whose 编号 begins with this is the template's example and is passed over."""
ROWS = 500
"""Rows prepared with drop-downs and text formats."""

REQUIRED = ("title", "body", "kind", "department", "column", "formed_on")
_WIDE = {"title": 40, "body": 60, "summary": 40, "channels": 30, "column": 24, "department": 26}
_EXAMPLES = {
    "external_ref": "示例（此行不会导入）",
    "title": "云川区2026年第四季度公益性岗位招聘公告",
    "body": "第一段。\n第二段。（一个单元格内换行即分段）",
    "kind": "通知公告",
    "formed_on": "2026-11-16",
    "issued_on": "2026年11月16日",
    "doc_no": "云川民规〔2026〕2号",
    "keywords": "招聘、就业",
    "channels": "网站、订阅、微信、微博",
    "validity": "有效",
    "disclosure_attr": "主动公开",
    "genre": "公告",
    "grade": "A",
    "urgency": "普通",
    "source_kind": "本单位制发",
    "audience": "全社会",
    "level": "县级",
    "attachments": "附件1：岗位表.xlsx；附件2：说明.pdf",
    "pictures": "现场.jpg",
    "picture_alts": "招聘会现场，求职者正在咨询",
}
_ORDER = [
    "external_ref",
    "title",
    "subtitle",
    "body",
    "kind",
    "department",
    "column",
    "area",
    "formed_on",
    "issued_on",
    "effective_on",
    "expires_on",
    "doc_no",
    "index_no",
    "validity",
    "disclosure_attr",
    "withheld_reason",
    "genre",
    "theme",
    "keywords",
    "source_kind",
    "source",
    "source_url",
    "author",
    "grade",
    "urgency",
    "audience",
    "level",
    "channels",
    "summary",
    "wechat_title",
    "wechat_digest",
    "weibo_text",
    "attachments",
    "pictures",
    "picture_alts",
    "change_note",
]
_NOTES = (
    "一、每行一条信息，带 * 的列必填，其余可以空着。列的次序可以调换，不用的列可以删除，表头文字请勿改动。",
    "二、“编号”由填报单位自定，同一条信息再次导入时编号不变，系统就不会重复建立；不填时按公开主体、标题、形成日期识别。",
    "三、日期写成 2026-11-16、2026年11月16日或 2026.11.16。形成日期不能晚于今天。",
    "四、发文字号写成“云川民规〔2026〕2号”：六角括号，序号不编虚位，不加“第”。",
    "五、正文在单元格内换行（Alt+Enter）即为分段；需要标题、表格的长文请改用 .docx 导入。",
    "六、发布渠道之间用顿号隔开，必须包括“网站”：其他渠道都链接到网站页面。微信标题不超过32字，标题更长时请填“微信标题”。",
    "七、附件、图片只填文件名，几个之间用分号隔开，文件放在与本表同处的 attachments、images 文件夹。图片说明按图片次序填写，用分号隔开。",
    "八、公开属性为“不予公开”“依申请公开”的，不填发布渠道；“不予公开”须写明理由。",
    "九、涉密文件、含个人敏感信息的内容不得填入。",
)


def write_template(path: Path, vocabulary: Vocabulary) -> None:
    """Write the form for this district to ``path`` (.xlsx): the same vocabulary gives the same bytes."""
    workbook = Workbook()
    sheet, notes, choices = workbook.worksheets[0], workbook.create_sheet("填写说明"), workbook.create_sheet("选项")
    sheet.title = "信息"
    choices.sheet_state = "hidden"
    columns = [vocabulary.column_path(slug) for slug in vocabulary.columns]
    lists: dict[str, list[str]] = {
        "kind": list(KINDS.values()),
        "department": list(vocabulary.departments.values()),
        "column": columns,
        "area": list(vocabulary.areas.values()),
        "validity": list(VALIDITIES),
        "disclosure_attr": list(DISCLOSURE_ATTRS),
        "genre": list(GENRES),
        "source_kind": list(SOURCE_KINDS),
        "grade": list(GRADES),
        "urgency": list(URGENCIES),
        "level": ["县级", "乡级"],
        "channels": ["网站、订阅、微信、微博、客户端", "网站、订阅、微信、微博", "网站、订阅、微信", "网站、订阅", "网站"],
    }
    example = {**{n: lists[n][0] for n in ("department", "column", "area") if lists[n]}, **_EXAMPLES}
    for index, name in enumerate(_ORDER, 1):
        letter = get_column_letter(index)
        head = sheet.cell(row=1, column=index, value=label_of(name) + ("*" if name in REQUIRED else ""))
        head.font, head.fill = Font(bold=True), HEADER_FILL
        shown = sheet.cell(row=2, column=index, value=example.get(name, ""))
        shown.font, shown.fill = Font(italic=True, color="808080"), PatternFill("solid", fgColor="F2F2F2")
        shown.alignment = Alignment(wrap_text=True, vertical="top")
        sheet.column_dimensions[letter].width = _WIDE.get(name, 16)
        if name in DATES or name in ("external_ref", "doc_no", "index_no"):
            for row in range(2, ROWS + 2):
                sheet.cell(row=row, column=index).number_format = "@"
        if lists.get(name):
            _drop_down(sheet, choices, letter, label_of(name), lists[name], strict=name != "channels")
    sheet.freeze_panes = "C2"
    notes.column_dimensions["A"].width = 110
    for row, note in enumerate(("填写说明", *_NOTES, f"编号以“{EXAMPLE}”开头的行不会导入。"), 1):
        cell = notes.cell(row=row, column=1, value=note)
        cell.alignment = Alignment(wrap_text=True, vertical="top")
        cell.font = Font(bold=row == 1)
    path.write_bytes(workbook_bytes(workbook))


def _drop_down(sheet: Worksheet, choices: Worksheet, letter: str, label: str, values: list[str], *, strict: bool) -> None:
    """A list validation must be a cell range: typed into the rule it may have 255 characters only."""
    column = choices.max_column + 1 if choices["A1"].value else 1
    choices.cell(row=1, column=column, value=label)
    for row, value in enumerate(values, 2):
        choices.cell(row=row, column=column, value=value)
    at = get_column_letter(column)
    rule = DataValidation(type="list", formula1=f"{quote_sheetname(choices.title)}!${at}$2:${at}${len(values) + 1}", allow_blank=True)
    rule.showErrorMessage, rule.errorTitle, rule.error = strict, label, f"请从下拉列表中选择{label}"
    rule.add(f"{letter}2:{letter}{ROWS + 1}")
    sheet.add_data_validation(rule)

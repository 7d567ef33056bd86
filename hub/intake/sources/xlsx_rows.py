"""Items as rows of a spreadsheet (台账): reading them, and the empty form (``write_template``)."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from zipfile import BadZipFile

from openpyxl import load_workbook
from openpyxl.cell.cell import TYPE_ERROR
from openpyxl.utils.exceptions import InvalidFileException
from openpyxl.worksheet.worksheet import Worksheet

from hub.domain.content import FileUse
from hub.domain.problems import Problem
from hub.intake.archives import ArchiveLimits, archive_fault
from hub.intake.body import paragraphs_to_html
from hub.intake.extract import Part
from hub.intake.fields import field_of, label_of, written
from hub.intake.record import Reading, Record, Unusable
from hub.intake.secrecy import mark_in
from hub.intake.sniff import family_of
from hub.intake.sources.beside import take_beside, with_pictures
from hub.intake.sources.xlsx_template import EXAMPLE, write_template
from hub.intake.text import clean_line

__all__ = ["read", "write_template"]

MOST_ROWS = 5000
HEADER_WITHIN = 15
"""Rows at the top that are searched for the headers: above them stand the table's title and remarks."""
BLANK_ROWS = 200
"""So many blank rows in a row end the table: a stray format in row 1 048 576 must not cost a million steps."""
_LIMITS = ArchiveLimits(entries=2000, unpacked=128 * 1024 * 1024, xml=48 * 1024 * 1024)
_NAMES = re.compile(r"[;；|\n]+")
_CODED_BREAK = re.compile(r"_x000[dDaA]_")


def read(path: Path, reading: Reading) -> Iterator[Record]:
    """One record per filled row of the first sheet with known headers; ``row`` is the sheet's own row number.

    Headers are found by name (Chinese or ours) or by ``reading.mapping`` (header → field). Merged cells count for every row they
    span. Raises ``Unusable``.
    """
    sheet, header_row, columns, unknown = _table(path, reading.mapping)
    merged = _merged_values(sheet)
    filled = blank = 0
    for row in range(header_row + 1, sheet.max_row + 1):
        values: dict[str, object] = {}
        problems: list[Problem] = []
        for column, name in columns.items():
            cell = sheet.cell(row=row, column=column)
            value: object = merged.get((row, column), cell.value)
            if cell.data_type == TYPE_ERROR:
                problems.append(Problem(name, "cell_error", f"单元格 {cell.coordinate} 是公式错误 {value}", "请改为文字或数值"))
            elif isinstance(value, str):
                value = _CODED_BREAK.sub("", value).strip()
            if value not in (None, "") and not values.get(name):
                values[name] = value
        own = {n for c, n in columns.items() if (row, c) not in merged and n in values}
        blank = 0 if own or problems else blank + 1
        if blank > BLANK_ROWS:
            break
        if blank:
            continue
        if str(values.get("external_ref", "")).startswith(EXAMPLE):
            continue
        filled += 1
        if filled > MOST_ROWS:
            raise Unusable("too_many", f"“{path.name}”超过{MOST_ROWS}行", "请拆成几个文件")
        if filled == 1:
            problems += (
                Problem(h, "unknown_header", f"不认识的列“{h}”，已忽略", "可以在导入时指定它对应哪一项", blocking=False) for h in unknown
            )
        yield _record(row, values, path, reading, problems)
    if not filled:
        raise Unusable("no_rows", f"“{path.name}”没有填写任何一行", "请在表头下面填写")


def _record(row: int, values: dict[str, object], path: Path, reading: Reading, problems: list[Problem]) -> Record:
    uses: list[FileUse] = []
    alts = [a.strip() for a in _NAMES.split(written(values.pop("picture_alts", "")))]
    for name, role in (("attachments", "attachment"), ("pictures", "picture")):
        names = [n for n in (clean_line(p) for p in _NAMES.split(written(values.pop(name, "")))) if n]
        for index, file_name in enumerate(names):
            alt = alts[index] if role == "picture" and index < len(alts) else ""
            taken = take_beside(path, file_name, reading.files, field=f"{name}.{index}", role=role, alt=alt)
            if isinstance(taken, FileUse):
                uses.append(taken)
            else:
                problems += taken
    body = paragraphs_to_html(written(values.get("body", "")))
    return Record(
        row,
        values,
        body_html=with_pictures(body, [u for u in uses if u.role == "picture"]),
        files=tuple(uses),
        external_ref=clean_line(written(values.get("external_ref", ""))),
        problems=tuple(problems),
    )


def _table(path: Path, mapping: Mapping[str, str]) -> tuple[Worksheet, int, dict[int, str], list[str]]:
    """(sheet, header row, column number → our field, headers that mean nothing to us)."""
    asked = {_plain(h): field_of(f) or f for h, f in mapping.items()}
    best: tuple[Worksheet, int, dict[int, str], list[str]] | None = None
    for sheet in _opened(path):
        for row in range(1, min(HEADER_WITHIN, sheet.max_row) + 1):
            columns: dict[int, str] = {}
            unknown: list[str] = []
            for column in range(1, min(sheet.max_column, 200) + 1):
                header = clean_line(written(sheet.cell(row=row, column=column).value))
                name = asked.get(_plain(header)) or field_of(header)
                if name:
                    columns[column] = name
                elif header:
                    unknown.append(header)
            if "title" in columns.values() and len(columns) >= 2 and (best is None or len(columns) > len(best[2])):
                best = (sheet, row, columns, unknown)
        if best:
            return best
    raise Unusable(
        "no_header", f"“{path.name}”里找不到表头", f"表头至少要有“{label_of('title')}”，请使用模板，或在导入时指定各列对应哪一项"
    )


def _opened(path: Path) -> list[Worksheet]:
    data = io.BytesIO(path.read_bytes())
    family = family_of(data)
    if family == "encrypted":
        raise Unusable("encrypted", f"“{path.name}”设有密码", "请去掉密码后再导入")
    if family != "xlsx":
        raise Unusable("broken", f"“{path.name}”不是完好的 .xlsx 文件", "请用Excel或WPS打开后另存为 .xlsx，不要只改扩展名")
    if fault := archive_fault(data, family, _LIMITS):
        raise Unusable(fault[0], f"“{path.name}”：{fault[1]}", fault[2])
    try:
        workbook = load_workbook(data, data_only=True)
    # openpyxl has no error of its own for most broken parts.
    except (BadZipFile, InvalidFileException, KeyError, ValueError, TypeError, AttributeError, IndexError, OSError, SyntaxError) as error:
        raise Unusable("broken", f"“{path.name}”已损坏，打不开", "请用Excel或WPS打开后另存为新文件") from error
    for sheet in workbook.worksheets:
        top = [written(c.value) for cells in sheet.iter_rows(max_row=min(sheet.max_row, 5)) for c in cells if isinstance(c.value, str)]
        if mark := mark_in([Part(f"工作表“{sheet.title}”", tuple(top))]):
            raise Unusable(
                "secrecy_mark", f"“{path.name}”的{mark.where}有涉密标志“{mark.text}”", "涉密文件不得上传，请立即删除并按保密规定处理"
            )
    return list(workbook.worksheets)


def _merged_values(sheet: Worksheet) -> dict[tuple[int, int], object]:
    """The value of every cell that a merged range covers, except its first, which has its own."""
    values: dict[tuple[int, int], object] = {}
    for span in sheet.merged_cells.ranges:
        first = sheet.cell(row=span.min_row, column=span.min_col).value
        for row in range(span.min_row, min(span.max_row, sheet.max_row) + 1):
            for column in range(span.min_col, span.max_col + 1):
                if (row, column) != (span.min_row, span.min_col):
                    values[row, column] = first
    return values


def _plain(header: str) -> str:
    return re.sub(r"\s", "", header)

"""Workbooks whose bytes depend on their cells only.

openpyxl stamps the time of saving into the properties and zip stamps it on every entry, so the same table would get another
digest at every import: both stamps are set to a fixed day.
"""

from __future__ import annotations

import io
import re
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from openpyxl import Workbook
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet

_STAMP = re.compile(rb"(<dcterms:(created|modified)[^>]*>)[^<]*")
_DAY = (2020, 1, 1, 0, 0, 0)
HEADER_FILL = PatternFill("solid", fgColor="DCE6F1")
_THIN = Side(style="thin", color="999999")


def workbook_bytes(workbook: Workbook) -> bytes:
    """The saved workbook, the same bytes for the same cells."""
    saved = io.BytesIO()
    workbook.save(saved)
    return fixed_zip(saved.getvalue())


def fixed_zip(data: bytes) -> bytes:
    """An OOXML file with its two property stamps and all entry times set to 2020-01-01."""
    out = io.BytesIO()
    with ZipFile(io.BytesIO(data)) as before, ZipFile(out, "w", ZIP_DEFLATED) as after:
        for entry in before.infolist():
            part = before.read(entry)
            if entry.filename == "docProps/core.xml":
                part = _STAMP.sub(rb"\g<1>2020-01-01T00:00:00Z", part)
            fresh = ZipInfo(entry.filename, _DAY)
            fresh.compress_type = ZIP_DEFLATED
            after.writestr(fresh, part)
    return out.getvalue()


def table_workbook(columns: list[str], rows: list[list[object]], title: str = "Sheet1") -> bytes:
    """A plain table with a bold header row, borders, widths by content, ready to print on one page width."""
    workbook = Workbook()
    sheet: Worksheet = workbook.worksheets[0]
    sheet.title = title
    sheet.append(columns)
    for row in rows:
        sheet.append([v if isinstance(v, str | int | float | bool) or v is None else str(v) for v in row])
    for cells in sheet.iter_rows():
        for cell in cells:
            cell.border = Border(left=_THIN, right=_THIN, top=_THIN, bottom=_THIN)
            cell.alignment = Alignment(vertical="center", wrap_text=True)
            if cell.row == 1:
                cell.font, cell.fill = Font(bold=True), HEADER_FILL
            # A text that begins with "=" is what somebody typed, never a formula of ours.
            if isinstance(cell.value, str):
                cell.data_type = "s"
    for index in range(1, len(columns) + 1):
        letter = get_column_letter(index)
        widest = max((_width(sheet.cell(row=r, column=index).value) for r in range(1, sheet.max_row + 1)), default=8)
        sheet.column_dimensions[letter].width = min(max(widest + 2, 8), 40)
    sheet.freeze_panes = "A2"
    sheet.page_setup.fitToHeight = 0
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    return workbook_bytes(workbook)


def _width(value: object) -> int:
    return sum(2 if ord(c) > 0x2E80 else 1 for c in str(value if value is not None else ""))

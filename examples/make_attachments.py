"""Draw and write every file that examples/sample_items.json names: ``python examples/make_attachments.py [--font FONT.ttc]``.

The results are committed, so nobody needs to run this to use the hub. It needs python-docx and reportlab (the ``dev`` extra) and
a Chinese font for the two pictures (Debian: fonts-noto-cjk). All content is invented. Same libraries and font, same bytes.
"""

from __future__ import annotations

import argparse
import io
import json
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import docx
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml.ns import qn
from docx.shared import Pt
from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.platypus import Flowable, Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

from draw_pictures import draw_infographic, draw_library  # noqa: E402 - beside this file, found only after the path is set

from hub.intake.sources.workbooks import fixed_zip, table_workbook  # noqa: E402

ATTACHMENTS = HERE / "attachments"
IMAGES = HERE / "images"
FONT = "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--font", default=FONT, help="a Chinese font for the pictures")
    font = parser.parse_args().font
    ATTACHMENTS.mkdir(exist_ok=True)
    IMAGES.mkdir(exist_ok=True)
    document = json.loads((HERE / "sample_items.json").read_text(encoding="utf-8"))
    written = {**tables(document), **papers(), **drafts()}
    for name, data in written.items():
        (ATTACHMENTS / name).write_bytes(data)
    (IMAGES / "aging-friendly-infographic.png").write_bytes(draw_infographic(font))
    (IMAGES / "library-night.jpg").write_bytes(draw_library())


# ------------------------------------------------------------------------------------------------------- spreadsheets


def tables(document: dict[str, Any]) -> dict[str, bytes]:
    """The tables that the sample items spell out, and the long one of the samples that passed."""
    found: dict[str, bytes] = {}
    for item in document["items"]:
        for attachment in item["attachments"]:
            if table := attachment.get("table"):
                found[attachment["name"]] = table_workbook(table["columns"], table["rows"])
    columns = ["序号", "被抽样单位", "样品名称", "规格", "生产/购进日期", "抽检项目", "检验结论", "检验机构"]
    found["附件1：监督抽检合格样品信息.xlsx"] = table_workbook(columns, passed_samples())
    return found


def passed_samples() -> list[list[object]]:
    """84 invented samples of the four groups that the notice names."""
    groups = (
        (
            "炒货食品",
            ("葵花籽", "南瓜子", "散装西瓜子", "盐焗腰果", "开心果", "琥珀核桃仁", "烤花生"),
            "过氧化值、黄曲霉毒素B1",
            "云川区某炒货经营部",
        ),
        ("糕点", ("蛋黄酥", "绿豆糕", "桃酥", "吐司面包", "老婆饼", "芝麻酥", "蛋糕卷"), "防腐剂、甜味剂、菌落总数", "云川区某烘焙店"),
        ("食用农产品", ("菠菜", "黄瓜", "豇豆", "鲫鱼", "鸡蛋", "猪肉", "草莓"), "农药残留、兽药残留", "云川区某农贸市场摊位"),
        ("餐饮食品", ("油条", "馒头", "凉拌菜", "米饭", "卤牛肉", "餐具（碗）", "豆浆"), "铝的残留量、大肠菌群", "云川区某餐饮店"),
    )
    rows: list[list[object]] = []
    for number in range(84):
        _, samples, checks, place = groups[number % 4]
        step = number // 4
        size = "散装" if number % 3 else f"{100 + 50 * (step % 5)}g/袋"
        day = f"2026-{9 + step % 2:02d}-{1 + (number * 7) % 28:02d}"
        rows.append([number + 1, f"{place}（{step % 6 + 1}号）", samples[step % 7], size, day, checks, "合格", "某检测技术有限公司"])
    return rows


# ---------------------------------------------------------------------------------------------------------------- PDF

_BLUE = colors.HexColor("#1f4e79")


def papers() -> dict[str, bytes]:
    pdfmetrics.registerFont(UnicodeCIDFont("STSong-Light"))
    return {
        "附件：适老化改造基础项目清单.pdf": pdf("适老化改造基础项目清单", works()),
        "附件：云川区财政局2025年度部门决算公开.pdf": pdf("云川区财政局2025年度部门决算公开", accounts()),
    }


def _style(size: float = 10.5, **more: Any) -> ParagraphStyle:
    return ParagraphStyle("text", fontName="STSong-Light", fontSize=size, leading=size * 1.6, wordWrap="CJK", **more)


def _table(rows: list[list[str]], widths: list[float]) -> Table:
    cells = [
        [Paragraph(text, _style(9.5, textColor=colors.white if y == 0 else colors.black)) for text in row] for y, row in enumerate(rows)
    ]
    table = Table(cells, colWidths=[w * mm for w in widths], repeatRows=1)
    table.setStyle(
        TableStyle(
            [
                ("GRID", (0, 0), (-1, -1), 0.4, colors.grey),
                ("BACKGROUND", (0, 0), (-1, 0), _BLUE),
                ("ROWBACKGROUNDS", (0, 1), (-1, -1), [colors.white, colors.HexColor("#f3f7fb")]),
                ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
            ]
        )
    )
    return table


def _heading(text: str) -> Paragraph:
    return Paragraph(text, _style(13, textColor=_BLUE, spaceBefore=10, spaceAfter=5))


def _text(text: str) -> Paragraph:
    return Paragraph(text, _style(firstLineIndent=21))


def works() -> list[Flowable]:
    rows = [
        ["序号", "类别", "项目名称", "配置要求", "最高补贴（元）"],
        ["1", "地面改造", "防滑处理", "卫生间、厨房、卧室地面铺设防滑砖或防滑垫", "500"],
        ["2", "地面改造", "高差处理", "消除门槛高差，或安装斜坡辅具", "300"],
        ["3", "如厕洗浴设备改造", "安装扶手", "坐便器旁、淋浴区安装一字形或L形扶手", "400"],
        ["4", "如厕洗浴设备改造", "配置淋浴椅", "防滑脚垫，承重不低于100千克", "300"],
        ["5", "卧室改造", "配置床边护栏", "固定式或折叠式，便于起身", "400"],
        ["6", "物理环境改造", "感应照明", "卧室至卫生间通道安装自动感应灯具", "200"],
        ["7", "智能监护", "安全监控装置", "紧急呼叫、跌倒监测或烟雾报警，与街道值守平台联通", "900"],
    ]
    return [
        _text(
            "根据《云川区困难老年人家庭适老化改造补贴办法》，下列七类基础项目由补贴资金支持，每户合计不超过3000元，超出部分由家庭自愿承担。"
        ),
        Spacer(1, 4 * mm),
        _table(rows, [14, 34, 32, 70, 26]),
        Spacer(1, 4 * mm),
        _text("说明：具体项目由街道入户评估后与老年人家庭共同确定。产品应当符合国家有关标准，质保期不少于一年。"),
        _text("云川区民政局　2026年11月10日"),
    ]


def accounts() -> list[Flowable]:
    return [
        _heading("一、部门概况"),
        _text("云川区财政局负责贯彻执行国家财税方针政策，拟订全区财政发展规划，管理区级各项财政收支，组织预算绩效管理和财政监督。"),
        _heading("二、收入支出决算总表（单位：万元）"),
        _table(
            [
                ["收入项目", "决算数", "支出项目", "决算数"],
                ["一般公共预算财政拨款收入", "4286.35", "基本支出", "3120.47"],
                ["政府性基金预算财政拨款收入", "0.00", "项目支出", "1165.88"],
                ["国有资本经营预算财政拨款收入", "0.00", "年末结转和结余", "0.00"],
                ["收入总计", "4286.35", "支出总计", "4286.35"],
            ],
            [62, 27, 60, 27],
        ),
        _heading("三、“三公”经费支出决算表（单位：万元）"),
        _table(
            [
                ["项目", "年初预算数", "决算数", "增减"],
                ["因公出国（境）费", "0.00", "0.00", "0.00"],
                ["公务用车购置及运行维护费", "8.60", "8.20", "-0.40"],
                ["公务接待费", "5.40", "4.40", "-1.00"],
                ["合计", "14.00", "12.60", "-1.40"],
            ],
            [74, 34, 34, 34],
        ),
        _heading("四、情况说明"),
        _text("2025年度收入总计4286.35万元，支出总计4286.35万元，与上年相比分别减少2.1%。“三公”经费减少的主要原因是严格控制公务接待。"),
        _text("机关运行经费支出286.92万元，政府采购支出438.75万元。"),
        _heading("五、政府性基金预算、国有资本经营预算财政拨款支出决算表（单位：万元）"),
        _table([["项目", "本年收入", "本年支出"], ["—", "0.00", "0.00"]], [88, 44, 44]),
        _text("本部门2025年度无政府性基金预算和国有资本经营预算财政拨款支出，故列空表。"),
        _heading("六、名词解释"),
        _text("基本支出：为保障机构正常运转、完成日常工作任务而发生的人员经费和公用经费支出。"),
        _text("项目支出：在基本支出之外为完成特定行政任务和事业发展目标所发生的支出。"),
    ]


def pdf(title: str, story: list[Flowable]) -> bytes:
    out = io.BytesIO()
    margins = dict.fromkeys(("leftMargin", "rightMargin", "topMargin", "bottomMargin"), 17 * mm)
    template = SimpleDocTemplate(out, pagesize=A4, title=title, author="云川区", lang="zh-CN", invariant=1, **margins)
    template.build([Paragraph(title, _style(18, alignment=1, textColor=_BLUE, spaceAfter=12)), *story])
    return out.getvalue()


# ---------------------------------------------------------------------------------------------------------------- Word


def drafts() -> dict[str, bytes]:
    schools = [
        ["学校", "所在街道", "拟调整后的学区范围"],
        ["东湖小学", "东湖街道", "东湖路以东、学府路以南"],
        ["东湖第二小学", "东湖街道", "东湖路以西、环湖路以北"],
        ["滨湖小学", "东湖街道", "环湖路以南全部居民小区"],
        ["南塘小学", "南塘街道", "南塘路以北、学府路以西"],
        ["南塘实验小学（新建）", "南塘街道", "南塘路以南全部居民小区"],
    ]
    plan = _document("2027年义务教育阶段学区划分方案（征求意见稿）")
    for heading, text in (
        ("一、基本原则", "坚持免试就近入学，保持学区范围相对稳定，结合新建学校投入使用和人口分布变化作适度调整。"),
        ("二、调整范围", "本次调整涉及东湖、南塘两个街道共5所小学，其他学校学区范围不变。"),
    ):
        _section(plan, heading, text)
    table = plan.add_table(rows=0, cols=3, style="Table Grid")
    for row in schools:
        for cell, text in zip(table.add_row().cells, row, strict=True):
            cell.text = text
    _section(
        plan, "三、过渡安排", "2026年9月1日前已在原学区入学的学生，继续在原学校就读至毕业。同一家庭的弟弟妹妹可以选择原学区或者新学区。"
    )
    _section(plan, "四、施行时间", "本方案自2027年秋季学期招生起施行。")
    _signed(plan, "云川区教育局", "2026年11月13日")
    notes = _document("《2027年义务教育阶段学区划分方案（征求意见稿）》起草说明")
    for heading, text in (
        ("一、起草背景", "南塘实验小学将于2027年9月启用，可提供36个教学班。近三年南塘街道新增入住家庭较多，原学区学校班额偏大。"),
        ("二、起草过程", "2026年8月至10月，区教育局开展学龄人口摸底，召开座谈会4场，听取街道、社区、学校和家长代表意见，形成征求意见稿。"),
        ("三、主要内容", "调整5所小学的学区范围，明确已入学学生和多孩家庭的过渡办法。"),
        ("四、意见反馈", "公开征求意见时间为2026年11月18日至12月18日。征集结束后公布意见采纳情况。"),
    ):
        _section(notes, heading, text)
    _signed(notes, "云川区教育局", "2026年11月13日")
    return {"附件1：学区划分方案（征求意见稿）.docx": _saved(plan), "附件2：起草说明.docx": _saved(notes)}


def _document(title: str) -> Any:
    document = docx.Document()
    for name, size in (("Normal", 12), ("Title", 20), ("Heading 1", 14)):
        style = document.styles[name]
        style.font.name, style.font.size = "SimSun", Pt(size)
        style.element.get_or_add_rPr().get_or_add_rFonts().set(qn("w:eastAsia"), "宋体")
    heading = document.add_paragraph(title, style="Title")
    heading.alignment = WD_ALIGN_PARAGRAPH.CENTER
    document.core_properties.title, document.core_properties.author = title, "云川区教育局"
    return document


def _section(document: Any, heading: str, text: str) -> None:
    document.add_heading(heading, level=1)
    document.add_paragraph(text).paragraph_format.first_line_indent = Pt(24)


def _signed(document: Any, *lines: str) -> None:
    for line in lines:
        document.add_paragraph(line).alignment = WD_ALIGN_PARAGRAPH.RIGHT


def _saved(document: Any) -> bytes:
    document.core_properties.created = document.core_properties.modified = datetime(2020, 1, 1)  # noqa: DTZ001 - python-docx wants naive UTC
    out = io.BytesIO()
    document.save(out)
    return fixed_zip(out.getvalue())


if __name__ == "__main__":
    main()

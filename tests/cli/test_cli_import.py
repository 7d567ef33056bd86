"""Import on the command line: every kind of file, told line by line, and never twice."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from openpyxl import load_workbook

from tests.architecture.sources import ROOT
from tests.cli.conftest import Hub, write_item
from tests.intake import papers

BY = ("--as", "minzheng-liaison")
MARKDOWN = "# 关于冬季取暖补贴的通知\n\n现将有关事项通知如下。\n"
DEFAULTS = ("信息类型=通知公告", "公开主体=区民政局", "栏目=民生看点/通知公告", "形成日期=2026-11-12", "发布渠道=网站、订阅")


def defaults() -> list[str]:
    return [part for default in DEFAULTS for part in ("--default", default)]


def test_the_same_json_file_again_is_unchanged(hub: Hub) -> None:
    file = write_item(hub.folder / "items.json", "甲", "乙")
    first = hub.ok("import", file, *BY, "--json").json
    assert [line["result"] for line in first] == ["created", "created"]
    again = hub.ok("import", file, *BY, "--json").json
    assert [(line["result"], line["public_id"]) for line in again] == [("unchanged", line["public_id"]) for line in first]
    assert len(hub.ok("items", "list", "--json").json) == 2
    assert hub.ok("import", file, *BY).out.splitlines()[-1] == "未变 2"

    write_item(file, "甲", "乙", body="正文已修改。")
    assert [line["result"] for line in hub.ok("import", file, *BY, "--json").json] == ["revised", "revised"]
    hub.approve(first[0]["public_id"])
    write_item(file, "甲", "乙", body="正文再次修改。")
    kept, revised = hub.ok("import", file, *BY, "--json").json
    assert (kept["result"], revised["result"]) == ("kept", "revised")
    assert "本次导入未改动" in kept["problems"][0]["message"]


def test_the_template_is_filled_in_imported_and_imported_again(hub: Hub) -> None:
    path = hub.folder / "模板.xlsx"
    assert str(path) in hub.ok("import", "--template", path).out
    workbook = load_workbook(path)
    sheet = workbook["信息"]
    columns = {str(cell.value).rstrip("*"): cell.column for cell in sheet[1]}
    rows = [
        {"标题": "第一件", "正文": "内容。", "形成日期": "2026-11-12", "编号": "X-1"},
        {"标题": "第二件", "正文": "内容。", "形成日期": "2026-13-12", "编号": "X-2"},
        {"标题": "第三件", "正文": "内容。", "形成日期": "2026-11-12", "栏目": "没有的栏目", "编号": "X-3"},
    ]
    common = {"信息类型": "通知公告", "公开主体": "区民政局", "栏目": "民生看点/通知公告", "发布渠道": "网站"}
    for number, row in enumerate(rows, 3):
        for label, value in (common | row).items():
            sheet.cell(row=number, column=columns[label], value=value)
    workbook.save(path)

    answer = hub("import", path, *BY, "--json")
    assert (answer.code, answer.err) == (1, "")
    good, *bad = answer.json
    assert (good["result"], good["row"], good["external_ref"]) == ("created", 3, "X-1")
    assert [(line["result"], line["row"]) for line in bad] == [("refused", 4), ("refused", 5)]
    assert [[p["field"] for p in line["problems"] if p["blocking"]] for line in bad] == [["formed_on"], ["column"]]
    assert all(p["remedy"] for line in bad for p in line["problems"])

    told = hub("import", path, *BY)
    assert told.code == 1
    head, first, second, third = told.lines[:4]
    assert head == ["文件", "行", "标题", "结果", "编号", "问题与处理办法"]
    assert first[:5] == ["模板.xlsx", "3", "第一件", "未变", good["public_id"]]
    assert (second[1], second[3], third[3]) == ("4", "未收", "未收")
    assert "formed_on：" in second[5]
    assert bad[1]["problems"][0]["remedy"] in third[5]
    assert told.out.splitlines()[-1] == "未变 1，未收 2"
    assert len(hub.ok("items", "list", "--json").json) == 1


def test_word_markdown_and_broken_files_in_one_call(hub: Hub) -> None:
    word, markdown, broken, old = (hub.folder / name for name in ("补贴办法.docx", "通知.md", "坏.docx", "旧.doc"))
    word.write_bytes(papers.word("关于发放高龄津贴的通告", "现将高龄津贴发放事项通告如下。"))
    markdown.write_text(MARKDOWN, "utf-8")
    broken.write_bytes(b"PK\x03\x04 not really")
    old.write_bytes(b"\xd0\xcf\x11\xe0")
    answer = hub("import", word, markdown, broken, old, hub.folder / "没有.md", *BY, "--json", *defaults())
    assert (answer.code, answer.err) == (1, "")
    by_name = {line["source"]: line for line in answer.json}
    assert {name: line["result"] for name, line in by_name.items()} == {
        "补贴办法.docx": "created",
        "通知.md": "created",
        "坏.docx": "refused",
        "旧.doc": "refused",
        "没有.md": "refused",
    }
    assert all(line["problems"][0]["remedy"] for line in by_name.values() if line["result"] == "refused")
    again = hub("import", word, markdown, *BY, "--json", *defaults())
    assert [line["result"] for line in again.json] == ["unchanged", "unchanged"]


def test_own_headers_and_defaults(hub: Hub) -> None:
    table = hub.folder / "台账.xlsx"
    table.write_bytes(papers.excel(["文件名称", "要素内容"], ["低保公示", "公示内容。"]))
    answer = hub("import", table, *BY, "--json", "--map", "文件名称=标题", "--map", "要素内容=正文", *defaults())
    assert [(line["title"], line["result"]) for line in answer.json] == [("低保公示", "created")]
    bad = hub("import", table, *BY, "--map", "文件名称")
    assert bad.code == 2
    assert "应写成 名称=值" in bad.one_sentence()


def test_titles_are_not_taken_for_markup(hub: Hub) -> None:
    title = "[red]公告[/red] [/] [2026]1号"
    hub.take_in("甲", title=title)
    assert hub.ok("items", "list").lines[1][2] == title
    file = write_item(hub.folder / "bad.json", "乙", title=title, formed_date="昨天")
    assert hub("import", file, *BY).lines[1][2] == title


def test_only_ones_own_department_can_hand_in(hub: Hub) -> None:
    file = write_item(hub.folder / "items.json", "甲")
    answer = hub("import", file, "--as", "renshe-liaison", "--json")
    assert answer.code == 1
    assert "只能为本单位报送稿件" in answer.json[0]["problems"][0]["message"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [([], "请给出要导入的文件"), (["x.md"], "请用 --as 指明由谁报送"), (["--template", "{folder}/无此目录/x.xlsx"], "文件或目录不存在")],
)
def test_calls_that_cannot_be_meant(hub: Hub, arguments: list[str], says: str) -> None:
    answer = hub("import", *(a.format(folder=hub.folder) for a in arguments))
    assert answer.code == 2
    assert says in answer.one_sentence()


def test_the_sample_district_comes_in_with_its_attachments(hub: Hub, tmp_path: Path) -> None:
    examples = tmp_path / "examples"
    shutil.copytree(ROOT / "examples", examples)
    samples = json.loads((examples / "sample_items.json").read_text("utf-8"))
    own = [item for item in samples["items"] if item["department"] == "区民政局"]
    (examples / "own.json").write_text(json.dumps({"items": own}, ensure_ascii=False), "utf-8")
    lines = hub.ok("import", examples / "own.json", *BY, "--json").json
    assert len(lines) == len(own) > 0
    assert {line["result"] for line in lines} == {"created"}
    assert any((hub.data / "files").rglob("*"))

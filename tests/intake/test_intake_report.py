"""Many files at once: each succeeds or fails by itself, and twice changes nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.intake.fields import FIELDS, field_of, label_of
from hub.intake.report import Refused, Taken
from tests.intake import papers
from tests.intake.conftest import EXAMPLES, Read


def test_good_and_bad_files_side_by_side(read: Read, tmp_path: Path) -> None:
    files = {
        "一.md": "# 题\n\n字".encode(),
        "二.docx": b"broken",
        "三.rtf": b"{\\rtf}",
        "四.docx": papers.word("正文。"),
        "五.csv": b"a,b",
    }
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    results = read(*[tmp_path / n for n in files], tmp_path / "没有.md")
    assert [type(r) for r in results] == [Taken, Refused, Refused, Taken, Refused, Refused]
    assert [r.source for r in results] == [*files, "没有.md"]
    for result in results:
        if isinstance(result, Refused):
            assert result.title
            assert all(p.remedy for p in result.problems)


def test_importing_twice_gives_the_same_references_and_digests(read: Read, tmp_path: Path) -> None:
    (tmp_path / "一.md").write_text("# 题\n\n字", encoding="utf-8")
    (tmp_path / "二.docx").write_bytes(papers.word("正文。"))
    row = ["公告", "字。", "通知公告", "区民政局", "意见征集", "2026-11-16"]
    (tmp_path / "三.xlsx").write_bytes(papers.excel(["标题", "正文", "信息类型", "公开主体", "栏目", "形成日期"], row))
    paths = [EXAMPLES / "sample_items.json", *sorted(tmp_path.iterdir())]
    rounds = [[(r.external_ref, r.digest) for r in read(*paths, defaults=D) if isinstance(r, Taken)] for _ in range(2)]
    assert rounds[0] == rounds[1]
    assert len({ref for ref, _ in rounds[0]}) == 15


D = {"公开主体": "区民政局", "栏目": "行政规范性文件", "信息类型": "policy", "形成日期": "2026-11-10"}


def test_a_changed_text_keeps_its_reference_and_changes_its_digest(read: Read, tmp_path: Path) -> None:
    path = tmp_path / "一.md"
    seen = []
    for text in ("# 题\n\n字", "# 题\n\n改"):
        path.write_text(text, encoding="utf-8")
        (result,) = read(path)
        assert isinstance(result, Taken)
        seen.append(result)
    assert seen[0].external_ref == seen[1].external_ref
    assert seen[0].digest != seen[1].digest


@pytest.mark.parametrize("written", ["标题", " 标 题 *", "标题（必填）", "TITLE", "title", "信息名称", "标题*"])
def test_headers_are_known_however_written(written: str) -> None:
    assert field_of(written) == "title"


def test_no_header_means_two_fields() -> None:
    headers = [h for hs in FIELDS.values() for h in hs]
    assert len(headers) == len(set(headers))
    assert all(field_of(label_of(name)) == name for name in FIELDS)
    assert field_of("无此列") is None

"""One item as Markdown; the 300 regulations when their folder is named by HUB_TEST_REGULATIONS."""

from __future__ import annotations

import os
import re
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.intake.body import is_clean
from hub.intake.files import FileStore
from hub.intake.record import Reading
from hub.intake.sources import markdown_file
from hub.intake.vocabulary import Vocabulary
from tests.intake import papers
from tests.intake.conftest import TODAY, Read, only, refusal

REGULATION = """# 云川区停车管理条例

2020年3月1日 云川区人民政府令第1号公布
2021年5月1日 施行

<!-- INFO END -->

## 第一章 总 则

第一条 为了规范停车，制定本条例。

第二条 本条例所称停车场：

(一)公共停车场；

(二)专用停车场。

## 第二章 规划

### 第一节 编制

第三条 规划由区政府编制。
"""
SAMPLES = {
    "停车管理条例(2020-03-01).md": REGULATION,
    "保密工作规定(2020-03-01).md": "# 云川区保密工作规定\n\n<!-- INFO END -->\n\n第一条 国家秘密的密级分为绝密、机密、秘密三级。\n",
    "无标题(2020-03-01).md": "第一条 没有标题。\n\n第二条 内容。\n",
}


def regulations() -> list[Path]:
    folder = os.environ.get("HUB_TEST_REGULATIONS")
    return sorted(Path(folder).glob("*.md")) if folder else []


@pytest.fixture(scope="module")
def collection(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The real collection where there is one, else a handful of texts of the same form."""
    if found := regulations():
        return found
    folder = tmp_path_factory.mktemp("regulations")
    for name, text in SAMPLES.items():
        (folder / name).write_text(text, encoding="utf-8")
    return sorted(folder.glob("*.md"))


def test_title_day_and_headings_of_every_regulation(read: Read, collection: list[Path]) -> None:
    defaults = {"公开主体": "区民政局", "栏目": "行政规范性文件", "信息类型": "法规规章", "效力状态": "有效"}
    for path in collection:
        content = only(read(path, defaults=defaults)).content
        text = path.read_text(encoding="utf-8")
        name, day = re.fullmatch(r"(.+)\((.+)\)", path.stem).groups()  # type: ignore[union-attr]
        title = re.match(r"# (.+)", text)
        assert content.title == (title[1].strip() if title else name)
        assert content.formed_on == content.issued_on == date.fromisoformat(day)
        headings = [(str(len(marks)), words.strip()) for marks, words in re.findall(r"^(##+) (.+)$", text, re.MULTILINE)]
        assert re.findall(r"<h(\d)>(.*?)</h\d>", content.body) == headings
        articles = re.findall(r"^第[一二三四五六七八九十百]+条", text, re.MULTILINE)
        assert re.findall(r"<p>(第[一二三四五六七八九十百]+条)", content.body) == articles
        assert "INFO END" not in content.body
        assert content.summary
        assert is_clean(content.body)


def test_a_regulation_keeps_its_preamble_and_its_effective_day(read: Read, tmp_path: Path) -> None:
    path = tmp_path / "停车管理条例(2020-03-01).md"
    path.write_text(REGULATION, encoding="utf-8")
    content = only(read(path)).content
    assert content.effective_on == date(2021, 5, 1)
    assert content.body.startswith("<p>2020年3月1日 云川区人民政府令第1号公布")
    assert content.summary.startswith("第一条 为了规范停车")


FRONT = """---
标题: 停车收费公告
公开主体：区教育局
栏目: 意见征集
kind: notice
成文日期: 2026年11月3日
关键词: 停车、收费
source_url: https://a.example/x
颜色: 红
---
# 正文里的标题

正文**重点**，[链接](/x)。

| 项目 | 金额 |
|---|---|
| 停车 | 5 |

- 一
- 二

```
代码
```
"""


def test_front_matter_in_both_languages(read: Read, tmp_path: Path) -> None:
    path = tmp_path / "公告.md"
    path.write_text(FRONT, encoding="utf-8")
    taken = only(read(path, defaults={}))
    content = taken.content
    assert content.title == "停车收费公告"
    assert (content.department, content.column, content.kind) == ("jiaoyu", "yijian-zhengji", "notice")
    assert content.issued_on == content.formed_on == date(2026, 11, 3)
    assert content.keywords == ("停车", "收费")
    assert content.source_url == "https://a.example/x"
    assert '<p>正文<strong>重点</strong>，<a href="/x">链接</a>。</p><table>' in content.body
    assert "<ul><li>一</li><li>二</li></ul>" in re.sub(r"\s*\n\s*", "", content.body)
    assert ("颜色", "unknown_key") in {(p.field, p.code) for p in taken.problems}


def test_html_in_markdown_is_cleaned_and_pictures_lie_beside(read: Read, tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "现场.png").write_bytes(papers.picture())
    path = tmp_path / "稿.md"
    path.write_text("# 题\n\n字<script>x</script>\n\n![现场](images/现场.png)\n\n![外](https://a.example/x.png)\n", encoding="utf-8")
    taken = only(read(path))
    (use,) = taken.content.files
    assert use.alt == "现场"
    assert f'<img src="file:{use.sha256}" alt="现场">' in taken.content.body
    assert "script" not in taken.content.body
    assert "a.example" not in taken.content.body
    assert any("a.example" in p.message for p in taken.problems)


def test_a_missing_picture_is_refused(read: Read, tmp_path: Path) -> None:
    path = tmp_path / "稿.md"
    path.write_text("# 题\n\n字\n\n![现场](没有.png)\n", encoding="utf-8")
    assert refusal(read(path)).problems[0].code == "file_missing"


def test_gb18030_is_read_and_told(read: Read, tmp_path: Path) -> None:
    path = tmp_path / "停车管理条例(2020-03-01).md"
    path.write_bytes(REGULATION.encode("gb18030"))
    taken = only(read(path))
    assert taken.content.title == "云川区停车管理条例"
    assert [p.code for p in taken.problems] == ["encoding"]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty"),
        (b"  \n", "empty"),
        (b"\x80\x81\xfe\xff" * 60, "encoding"),
        ("# 题\n\n机密★1年\n\n字".encode(), "secrecy_mark"),
        (b"# T", "required"),
    ],
)
def test_bad_files_are_one_refusal(read: Read, tmp_path: Path, data: bytes, code: str) -> None:
    path = tmp_path / "坏.md"
    path.write_bytes(data)
    assert [p.code for p in refusal(read(path)).problems] == [code]


@given(text=st.text("#*-_`[]()!|<>&\\\n 0123年月日：:一二三第条章~=+\"'", max_size=120))
def test_any_text_reads_without_an_error(tmp_path_factory: pytest.TempPathFactory, words: Vocabulary, text: str) -> None:
    path = tmp_path_factory.getbasetemp() / "any.md"
    path.write_text("字" + text, encoding="utf-8")
    reading = Reading(words, FileStore(path.parent / "store"), {}, {}, TODAY)
    (record,) = markdown_file.read(path, reading)
    assert is_clean(record.body_html)

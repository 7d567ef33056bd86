"""The committed examples: complete, readable, small, and free of anything real."""

from __future__ import annotations

import io
import json

from PIL import Image

from hub.intake.extract import parts_of
from hub.intake.sniff import SORTS, extension, family_of
from tests.intake.conftest import EXAMPLES

DOCUMENT = json.loads((EXAMPLES / "sample_items.json").read_text(encoding="utf-8"))


def test_every_named_file_lies_there_and_no_other() -> None:
    attachments = {a["name"] for i in DOCUMENT["items"] for a in i["attachments"]}
    images = {p["file"] for i in DOCUMENT["items"] for p in i["images"]}
    assert {p.name for p in (EXAMPLES / "attachments").iterdir()} == attachments
    assert {p.name for p in (EXAMPLES / "images").iterdir()} == images
    assert sum(p.stat().st_size for p in EXAMPLES.rglob("*") if p.is_file()) < 1_500_000


def test_attachments_are_what_they_say_and_hold_chinese_words() -> None:
    for path in (EXAMPLES / "attachments").iterdir():
        data = io.BytesIO(path.read_bytes())
        family = family_of(data)
        assert family in SORTS[extension(path.name)].families
        words = "".join(line for part in parts_of(data, family) for line in part.lines)
        assert sum("\u4e00" <= c <= "\u9fff" for c in words) > 50


def test_tables_and_texts_agree() -> None:
    """The notice says 86 samples, 84 of them good; the posts add up to 26; the seven works to 3000 yuan."""

    def cells(name: str) -> list[str]:
        data = io.BytesIO((EXAMPLES / "attachments" / name).read_bytes())
        return [line for part in parts_of(data, "xlsx") for line in part.lines]

    assert cells("附件1：监督抽检合格样品信息.xlsx").count("合格") == 84
    posts = next(a["table"] for i in DOCUMENT["items"] for a in i["attachments"] if "岗位表" in a["name"])
    assert sum(row[3] for row in posts["rows"]) == 26


def test_pictures_are_pictures() -> None:
    sizes = {}
    for path in (EXAMPLES / "images").iterdir():
        with Image.open(path) as image:
            sizes[path.name] = image.size
    assert sizes["library-night.jpg"] == (1600, 900)
    assert sizes["aging-friendly-infographic.png"][0] == 1080


def test_nothing_real_is_named() -> None:
    text = json.dumps(DOCUMENT, ensure_ascii=False)
    assert "gov.cn" not in text.replace("example.gov.cn", "")

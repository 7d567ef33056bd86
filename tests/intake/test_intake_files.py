"""The door for files: what is taken, what is refused and in which words, how it is kept."""

from __future__ import annotations

import hashlib
import io
import struct
import threading
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import pytest

from channels.base import Files
from hub.domain.problems import Invalid
from hub.intake.archives import ArchiveLimits
from hub.intake.files import FileLimits, FileStore, safe_name
from tests.intake import papers


def refused(store: FileStore, name: str, data: bytes, **more: str) -> str:
    """Code of the one problem; the problem names the file and nothing was kept."""
    with pytest.raises(Invalid) as caught:
        store.take(name, data, **more)
    (problem,) = caught.value.problems
    assert safe_name(name) in problem.message
    assert problem.remedy
    assert not [p for p in store.root.rglob("*") if p.is_file()]
    return problem.code


GOOD: dict[str, bytes] = {
    "说明.docx": papers.word("正文"),
    "表.xlsx": papers.excel(["一"]),
    "公告.pdf": papers.pdf(["公告"]),
    "旧.doc": papers.ole("Root Entry", "WordDocument", text="正文内容"),
    "旧.xls": papers.ole("Root Entry", "Workbook"),
    "旧.ppt": papers.ole("PowerPoint Document"),
    "文.wps": papers.ole("WordDocument"),
    "表.et": papers.excel(["一"]),
    "稿.txt": "正文".encode("gb18030"),
    "表.csv": "一,二\n".encode(),
    "包.zip": papers.zipped({"内.txt": "字".encode()}),
    "片.mp4": b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + b"\0" * 64,
    "声.mp3": b"ID3\x03\0\0\0\0\0\x00" + b"\0" * 64,
    "版.ofd": papers.zipped({"OFD.xml": b"<OFD/>", "Doc_0/Pages/Page_0/Content.xml": "<P><TextCode>字</TextCode></P>".encode()}),
    "演.pptx": papers.zipped({"ppt/presentation.xml": b"<p/>", "[Content_Types].xml": b"<Types/>"}),
}


@pytest.mark.parametrize("name", GOOD, ids=str)
def test_ordinary_files_are_taken_unchanged(store: FileStore, name: str) -> None:
    use = store.take(name, GOOD[name])
    assert use.sha256 == hashlib.sha256(GOOD[name]).hexdigest()
    assert (use.name, use.size, use.role) == (name, len(GOOD[name]), "attachment")
    kept = store.path(use.sha256)
    assert kept.read_bytes() == GOOD[name]
    assert kept == store.root / use.sha256[:2] / use.sha256


BAD: dict[str, tuple[str, bytes, str]] = {
    "program by name": ("安装.exe", b"MZ\0\0", "program"),
    "program by content": ("报告.pdf", b"MZ\x90\0" + b"\0" * 60, "program"),
    "page by name": ("页.html", b"<p>", "program"),
    "page by content": ("说明.txt", "﻿ <!DOCTYPE html><p>字".encode(), "markup"),
    "svg": ("图.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>", "program"),
    "svg as picture": ("图.png", b"<svg onload='x'/>", "markup"),
    "script": ("表.csv", b"<script>x</script>", "markup"),
    "macro by name": ("表.xlsm", papers.excel(["一"]), "macro"),
    "macro by content": ("表.xlsx", papers.with_part(papers.excel(["一"]), "xl/vbaProject.bin", b"x"), "macro"),
    "macro in word": ("文.docx", papers.with_part(papers.word("一"), "word/vbaProject.bin", b"x"), "macro"),
    "macro in old file": ("旧.xls", papers.ole("Workbook", "_VBA_PROJECT"), "macro"),
    "other type": ("文.docx", papers.excel(["一"]), "mismatch"),
    "old file with new name": ("文.docx", papers.ole("WordDocument"), "mismatch"),
    "picture as paper": ("文.pdf", papers.picture(), "mismatch"),
    "zip as word": ("文.docx", papers.zipped({"a.txt": b"a"}), "mismatch"),
    "binary as text": ("文.txt", b"a\0b", "mismatch"),
    "unknown type": ("盘.rar", b"Rar!\x1a\x07\0", "type"),
    "no extension": ("文件", b"abc", "type"),
    "empty": ("文.pdf", b"", "empty"),
    "locked pdf": ("文.pdf", papers.pdf(["字"], password="x"), "encrypted"),
    "locked word": ("文.docx", papers.ole("EncryptedPackage", "EncryptionInfo"), "encrypted"),
    "broken pdf": ("文.pdf", papers.pdf(["字"])[:300], "broken"),
    "broken zip": ("包.zip", papers.zipped({"a.txt": b"a" * 3000, "b.txt": b"b"})[:60], "broken"),
    "program in zip": ("包.zip", papers.zipped({"内/a.exe": b"MZ"}), "program"),
    "macro in zip": ("包.zip", papers.zipped({"a.docm": b"PK"}), "macro"),
    "zip in zip": ("包.zip", papers.zipped({"a.zip": b"PK"}), "nested"),
    "path out of zip": ("包.zip", papers.zipped({"../a.txt": b"a"}), "bad_name"),
    "entities": ("文.docx", papers.with_part(papers.word("一"), "word/x.xml", b"<!DOCTYPE x [<!ENTITY a 'b'>]><x>&a;</x>"), "markup"),
    "entities in utf-16": ("文.docx", papers.with_part(papers.word("一"), "word/x.xml", "<!DOCTYPE x><x/>".encode("utf-16")), "markup"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_files_are_refused(store: FileStore, case: str) -> None:
    name, data, code = BAD[case]
    assert refused(store, name, data) == code


def test_sizes_are_bounded(tmp_path: Path) -> None:
    store = FileStore(tmp_path / "s", FileLimits(attachment=1000, picture=100))
    assert refused(store, "稿.txt", b"a" * 1001) == "too_large"
    assert refused(store, "图.png", papers.picture() + b"\0" * 100) == "too_large"
    big = tmp_path / "稿.txt"
    big.write_bytes(b"a" * 1001)
    with pytest.raises(Invalid, match="不能超过"):
        store.take("稿.txt", big)


def test_a_zip_bomb_is_refused_before_it_is_unpacked(store: FileStore) -> None:
    assert refused(store, "包.zip", papers.zipped({"零.txt": b"\0" * 20_000_000})) == "bomb"


def test_a_bomb_inside_a_workbook_is_refused(store: FileStore) -> None:
    bomb = papers.with_part(papers.excel(["一"]), "xl/worksheets/sheet1.xml", b"<worksheet>" + b" " * 30_000_000 + b"</worksheet>")
    assert refused(store, "表.xlsx", bomb) == "bomb"


def test_too_many_and_too_large_entries_are_refused(tmp_path: Path) -> None:
    store = FileStore(tmp_path / "s", FileLimits(archive=ArchiveLimits(entries=3, unpacked=1000)))
    assert refused(store, "包.zip", papers.zipped({f"{n}.txt": b"a" for n in range(4)})) == "bomb"
    assert refused(store, "包.zip", papers.zipped({"a.txt": bytes(range(256)) * 5})) == "bomb"


def test_entries_that_share_their_bytes_are_refused(store: FileStore) -> None:
    """The classic small bomb: many directory entries that point at one compressed block."""
    data = bytearray(papers.zipped({"a.txt": bytes(range(256)) * 8, "b.txt": bytes(range(256)) * 8}))
    second = data.rfind(b"PK\x01\x02")
    struct.pack_into("<I", data, second + 42, 0)
    assert refused(store, "包.zip", bytes(data)) == "bomb"


def test_an_entry_with_a_password_is_refused(store: FileStore) -> None:
    data = bytearray(papers.zipped({"a.txt": b"abc"}))
    for magic, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = data.find(magic)
        data[at + offset] |= 1
    assert refused(store, "包.zip", bytes(data)) == "encrypted"


def test_the_same_content_is_kept_once_and_from_a_path_too(store: FileStore, tmp_path: Path) -> None:
    paper = tmp_path / "来源.docx"
    paper.write_bytes(GOOD["说明.docx"])
    first, second = store.take("甲.docx", paper), store.take("乙.docx", GOOD["说明.docx"])
    assert first.sha256 == second.sha256
    assert len([p for p in store.root.rglob("*") if p.is_file()]) == 1


def test_many_at_once_leave_whole_files_only(store: FileStore) -> None:
    texts = [f"第{n % 3}份".encode() * 1000 for n in range(12)]
    threads = [threading.Thread(target=store.take, args=("稿.txt", text)) for text in texts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    kept = [p for p in store.root.rglob("*") if p.is_file()]
    assert {p.name for p in kept} == {hashlib.sha256(t).hexdigest() for t in texts}
    assert all(hashlib.sha256(p.read_bytes()).hexdigest() == p.name for p in kept)


@pytest.mark.parametrize("digest", ["0" * 64, "../../etc/passwd", "", "A" * 64])
def test_an_unknown_file_is_a_clear_error(store: FileStore, digest: str) -> None:
    files: Files = store
    with pytest.raises(FileNotFoundError, match="文件"):
        files.path(digest)


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("../../etc/a.txt", "a.txt"),
        ("C:\\文件\\附件1：表.xlsx", "附件1：表.xlsx"),
        ('a<b>:"c".pdf', "a_b___c_.pdf"),
        ("x" * 300 + ".docx", "x" * 115 + ".docx"),
        ("\u202e\x00.txt", "txt"),
        ("", "未命名"),
    ],
)
def test_names_are_made_safe(name: str, safe: str) -> None:
    assert safe_name(name) == safe


def test_a_zip_is_searched_for_marks_inside_its_papers(store: FileStore) -> None:
    assert refused(store, "包.zip", papers.zipped({"内/通知.docx": papers.word("机密★1年", "通知")})) == "secrecy_mark"
    assert refused(store, "包.zip", papers.zipped({"内/【秘密】通知.docx": papers.word("通知")})) == "secrecy_mark"


def test_a_broken_paper_inside_a_zip_is_told(store: FileStore) -> None:
    inner = io.BytesIO()
    with ZipFile(inner, "w", ZIP_DEFLATED) as archive:
        archive.writestr("word/document.xml", "<broken")
    assert refused(store, "包.zip", papers.zipped({"通知.docx": inner.getvalue()})) == "broken"

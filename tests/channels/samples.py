"""A publication, its files and the surroundings of an adapter, for every test of a channel."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from PIL import Image

from channels.base import ColumnRef, Named, Picture, Publication, SiteIdentity, StoredFile, Surroundings, sha256_hex
from channels.cache import MemoryCache

SITE_URL = "https://www.yunchuan.example"
SITE = SiteIdentity(
    name="云川区人民政府",
    domain="www.yunchuan.example",
    id_code="3201990001",
    url=SITE_URL,
    description="云川区人民政府门户网站",
    keywords=("云川区", "政务公开"),
    organiser="云川区人民政府办公室",
    operator="云川区融媒体中心",
    contact="025-00001000",
    tag_date="2026",
    columns=(ColumnRef("notices", "通知公告", "信息公开", "通知和公告", ("通知",)),),
    departments=(Named("rsj", "云川区人力资源和社会保障局"),),
    areas=(Named("jiuye", "就业"),),
)


class FolderFiles:
    """Content-addressed files in one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def add(self, body: bytes, name: str, media_type: str) -> StoredFile:
        sha256 = sha256_hex(body)
        (self._folder / sha256).write_bytes(body)
        return StoredFile(sha256, name, media_type, len(body))

    def path(self, sha256: str) -> Path:
        path = self._folder / sha256
        if not path.exists():
            raise FileNotFoundError(f"没有内容为 {sha256} 的文件")
        return path


def surroundings(folder: Path, clock: Callable[[], datetime]) -> Surroundings:
    for name in ("site", "state"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    return Surroundings(SITE, FolderFiles(folder / "files"), MemoryCache(), folder / "site", folder / "state", clock)


def image(kind: str = "PNG", size: tuple[int, int] = (90, 60), colour: str = "#2b6cb0") -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", size, colour).save(stream, kind)
    return stream.getvalue()


def a_picture(files: FolderFiles, body: bytes | None = None, media_type: str = "image/png", name: str = "流程图.png") -> Picture:
    return Picture(files.add(body or image(), name, media_type), "办理流程图", 90, 60)


def a_publication(public_id: str = "2026-000312", **more: Any) -> Publication:
    return replace(
        Publication(
            public_id=public_id,
            revision=1,
            url=f"{SITE_URL}/items/{public_id}/",
            title="云川区2026年第四季度公益性岗位招聘公告",
            subtitle="",
            body_html="<p>为帮助就业困难人员实现稳定就业，现面向全区公开招聘公益性岗位人员26名。</p>",
            summary="面向全区公开招聘公益性岗位人员26名。报名时间为11月25日至12月4日。咨询电话：025-00001201。",
            kind="notice",
            department=SITE.departments[0],
            column=SITE.columns[0],
            area=SITE.areas[0],
            index_no="YC0000106/2026-00312",
            doc_no="",
            issued_on=date(2026, 11, 16),
            formed_on=date(2026, 11, 16),
            effective_on=None,
            expires_on=None,
            validity="有效",
            disclosure_attr="主动公开",
            genre="公告",
            theme="劳动、人事、监察",
            keywords=("公益性岗位", "招聘"),
            source_kind="本单位制发",
            source="云川区人力资源和社会保障局",
            source_url="",
            urgency="普通",
            author="云川区人力资源和社会保障局",
        ),
        **more,
    )


PUBLISHED = datetime(2026, 11, 22, 1, 0, tzinfo=UTC)

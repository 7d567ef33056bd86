"""From a publication to the payload reviewers sign: everything the item's page says, as plain JSON."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from channels.base import Finding, Json, Picture, Publication, Severity, SiteIdentity, StoredFile
from channels.website.addresses import DIGEST, PUBLIC_ID, RESERVED_IDS, SLUG, file_address
from channels.website.markup import Body, resolve

VERSION = 1
"""Of the payload's shape; a page can be drawn from every version ever signed."""
DETAILS = ("warning", "qa", "consultation", "correction", "publicity")
"""What a page shows of ``Publication.details``; the rest (catalogue row, time limit) is for the staff."""
ACTIVE_TYPES = frozenset(
    {"text/html", "application/xhtml+xml", "image/svg+xml", "text/xml", "application/xml", "text/javascript", "application/javascript"}
)
"""Would run with the site's rights when opened from the site's own address."""
PICTURE_TYPES = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp"})


def build(publication: Publication, site: SiteIdentity) -> tuple[dict[str, Json], tuple[Finding, ...]]:
    """Return the payload and what is wrong with it. Pure; the same publication gives the same bytes."""
    p = publication
    body = resolve(p.body_html, {each.file.sha256: each for each in p.pictures}, site.domain)
    payload: dict[str, Any] = {
        "version": VERSION,
        "public_id": p.public_id,
        "revision": p.revision,
        "url": p.url,
        "title": p.title.strip(),
        "subtitle": p.subtitle.strip(),
        "body_html": body.html,
        "summary": p.summary.strip(),
        "kind": p.kind,
        "department": {"slug": p.department.slug, "name": p.department.name},
        "column": {
            "slug": p.column.slug,
            "name": p.column.name,
            "type": p.column.type,
            "description": p.column.description,
            "keywords": list(p.column.keywords),
            "parents": [{"slug": each.slug, "name": each.name} for each in p.column.parents],
        },
        "area": {"slug": p.area.slug, "name": p.area.name} if p.area else None,
        "index_no": p.index_no,
        "doc_no": p.doc_no,
        "issued_on": _day(p.issued_on),
        "formed_on": _day(p.formed_on),
        "effective_on": _day(p.effective_on),
        "expires_on": _day(p.expires_on),
        "validity": p.validity,
        "disclosure_attr": p.disclosure_attr,
        "genre": p.genre,
        "theme": p.theme,
        "keywords": list(p.keywords),
        "source_kind": p.source_kind,
        "source": p.source,
        "source_url": p.source_url,
        "urgency": p.urgency,
        "author": p.author,
        "attachments": [_file(each) for each in p.attachments],
        "pictures": [_picture(each) for each in p.pictures],
        "cover": p.cover,
        "relations": [{"type": r.type, "public_id": r.public_id, "title": r.title, "url": r.url} for r in p.relations],
        "details": {key: p.details[key] for key in DETAILS if p.details.get(key)},
        "change_note": p.change_note.strip(),
    }
    return payload, tuple(_findings(p, body))


def _day(value: date | None) -> str:
    return value.isoformat() if value else ""


def _file(file: StoredFile) -> dict[str, Any]:
    return {
        "sha256": file.sha256,
        "name": file.name,
        "media_type": file.media_type,
        "size": file.size,
        "path": file_address(file.sha256, file.name),
    }


def _picture(picture: Picture) -> dict[str, Any]:
    about = {"alt": picture.alt, "width": picture.width, "height": picture.height, "ai_generated": picture.ai_generated}
    return {**_file(picture.file), **about, "caption": picture.caption}


def _block(field: str, code: str, message: str) -> Finding:
    return Finding(Severity.BLOCK, field, code, message)


def _findings(p: Publication, body: Body) -> Iterable[Finding]:
    yield from _addresses(p)
    if not p.title.strip():
        yield _block("title", "empty", "标题为空，请填写标题")
    if not body.text and not body.shown and not p.attachments:
        yield _block("body", "empty", "正文为空，且没有图片和附件，请填写正文")
    if not p.source.strip():
        yield _block("source", "empty", "信息来源为空，网页规范要求注明 ContentSource，请填写来源单位")
    if p.disclosure_attr != "主动公开":
        yield _block("disclosure_attr", "not-proactive", f"公开属性为“{p.disclosure_attr}”，只有“主动公开”的信息可以发布到网站")
    if not p.summary.strip():
        yield Finding(Severity.WARN, "summary", "empty", "内容概述为空，检索和订阅时读者看不到摘要，建议填写")
    if p.source_url and not p.source_url.lower().startswith(("http://", "https://")):
        yield _block("source_url", "scheme", f"原文链接“{p.source_url}”不是 http 或 https 网址，请更正")
    if p.source_kind == "转载" and not p.source_url:
        yield Finding(Severity.WARN, "source_url", "empty", "转载信息没有原文链接，建议填写")
    if p.effective_on and p.expires_on and p.expires_on < p.effective_on:
        yield _block("expires_on", "before-effective", "失效日期早于生效日期，请核对")
    if any(each.public_id == p.public_id for each in p.relations):
        yield _block("relations", "self", "关联信息指向了本条信息自身，请删除")
    for relation in p.relations:
        if not PUBLIC_ID.match(relation.public_id) or relation.public_id in RESERVED_IDS:
            yield _block("relations", "address", f"关联信息的公开编号“{relation.public_id}”不能用作网址，请重新选择")
    for name in body.foreign:
        yield _block("body", "markup", f"正文含有网页不接受的标记 <{name}>，请清除格式后重新粘贴")
    yield from _pictures(p, body)
    for place, each in enumerate(p.attachments):
        if each.media_type.partition(";")[0].strip().lower() in ACTIVE_TYPES:
            yield _block(
                f"attachments.{place}",
                "active-content",
                f"附件“{each.name}”是可执行的网页类文件（{each.media_type}），请改用 PDF 或办公文档",
            )
        if each.size <= 0:
            yield _block(f"attachments.{place}", "empty", f"附件“{each.name}”是空文件，请重新上传")


def _pictures(p: Publication, body: Body) -> Iterable[Finding]:
    names = {each.file.sha256: each.file.name for each in p.pictures}
    for source in body.unknown:
        yield _block("body", "picture-unknown", f"正文引用的图片没有登记：{source}，请重新插入图片")
    missing = dict.fromkeys(
        [*body.without_alt, *(each.file.sha256 for each in p.pictures if not each.alt.strip() and each.file.sha256 not in body.shown)]
    )
    for digest in missing:
        yield _block("pictures", "alt-missing", f"图片“{names[digest]}”没有替代文字，视障读者无法了解内容，请填写")
    for each in p.pictures:
        if each.file.media_type not in PICTURE_TYPES:
            yield _block(
                "pictures", "media-type", f"图片“{each.file.name}”的格式 {each.file.media_type} 网页无法显示，请改用 JPEG、PNG、GIF 或 WebP"
            )
    if p.cover and p.cover not in names:
        yield _block("cover", "unknown", "封面图片不在本条信息的图片之中，请重新选择")


def _addresses(p: Publication) -> Iterable[Finding]:
    """Slugs and digests become folders: nothing else may get through."""
    if not PUBLIC_ID.match(p.public_id) or p.public_id in RESERVED_IDS:
        yield _block("public_id", "address", f"公开编号“{p.public_id}”不能用作网址，只能用字母、数字、点、横线")
    slugs = [("department", p.department.slug), *(("column", each.slug) for each in p.column.parents), ("column", p.column.slug)]
    if p.area:
        slugs.append(("area", p.area.slug))
    for name, slug in slugs:
        if not SLUG.match(slug):
            yield _block(name, "address", f"代号“{slug}”不能用作网址，只能用字母、数字、横线，请联系管理员修改配置")
    for file in (*p.attachments, *(each.file for each in p.pictures)):
        if not DIGEST.match(file.sha256):
            yield _block("attachments", "digest", f"文件“{file.name}”的摘要不是 SHA-256，请重新上传")


def refuse_unsafe(payload: dict[str, Any]) -> None:
    """Raise ValueError when a payload names a place it must not: stored payloads are checked again before they touch the disk."""
    for public_id in [payload["public_id"], *(each["public_id"] for each in payload["relations"])]:
        if not PUBLIC_ID.match(public_id) or public_id in RESERVED_IDS:
            raise ValueError(f"公开编号“{public_id}”不能用作网址")
    column = payload["column"]
    area = [payload["area"]] if payload["area"] else []
    for each in [payload["department"], column, *column["parents"], *area]:
        if not SLUG.match(each["slug"]):
            raise ValueError(f"代号“{each['slug']}”不能用作网址")
    for each in [*payload["attachments"], *payload["pictures"]]:
        if not DIGEST.match(each["sha256"]):
            raise ValueError(f"文件“{each['name']}”的摘要不是 SHA-256")

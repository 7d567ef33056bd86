"""Publication → article: everything a reader will see and every byte that is signed. Pure.

Nothing is ever cut to fit: what breaks a limit becomes a finding that names the numbers and the remedy.
"""

from __future__ import annotations

import base64
from html import escape

from channels.base import Finding, Json, Publication, Rendition, Severity, sha256_hex
from channels.wechat.convert import PARAGRAPH, Converted, convert
from channels.wechat.cover import draw_cover
from channels.wechat.settings import Settings

IMAGE_TYPES = frozenset(("image/jpeg", "image/png", "image/gif", "image/bmp", "image/webp"))
COVER_BYTES = 10 * 1_048_576
ADDRESS_BYTES = 1024
PLATFORM_DIGEST = 54
"""Characters of the body that the platform shows when an article has no digest."""
FORMS = ("full", "digest")

_FRAME = "font-size:16px;line-height:1.8;color:#333;word-break:break-word"
_NOTE = "margin:0 0 1em;padding:8px 12px;border-left:3px solid #b3202a;background:#fdf3f3"
_META = "margin:1.5em 0 0;padding:8px 12px;background:#f7f7f7;font-size:13px;color:#666"
_SMALL = "margin:1.5em 0 0;font-size:13px;color:#666"
_RELATIONS = {
    "interprets": "解读文件",
    "interpreted_by": "政策解读",
    "corrects": "更正对象",
    "corrected_by": "更正公告",
    "replaces": "代替文件",
    "replaced_by": "已被代替",
}


def article(channel: str, publication: Publication, settings: Settings) -> Rendition:
    """Build the rendition. Payload: form, title, author, digest, content, content_source_url, cover, images, flags."""
    findings: list[Finding] = []
    form = publication.said("wechat", "form") or "full"
    if form not in FORMS:
        findings.append(
            _block("wording.wechat.form", "wechat.form_unknown", f"微信形式只能是 full（全文）或 digest（摘要＋阅读原文），现为“{form}”")
        )
        form = "full"
    labels = {p.file.sha256: "（本图由人工智能生成）" for p in publication.pictures if p.ai_generated}
    body = convert(publication.body_html, publication.url, labels)
    title = _title(publication, settings)
    author = publication.said("wechat", "author") or settings.author or publication.author
    content = _content(publication, body, form, title)
    digest = _digest(publication, body, findings)
    shown = body.images if form == "full" else ()
    cover = _cover(publication, body, settings, findings)
    findings += _length_findings(title, author, digest, settings)
    findings += _content_findings(content, form, len(shown), settings)
    findings += _picture_findings(publication, shown)
    if len(publication.url.encode()) > ADDRESS_BYTES:
        findings.append(_block("public_id", "wechat.url_too_long", f"“阅读原文”地址超过 {ADDRESS_BYTES} 字节，请缩短网站地址"))
    payload: dict[str, Json] = {
        "form": form,
        "title": title,
        "author": author,
        "digest": digest,
        "content": content,
        "content_source_url": publication.url,
        "cover": cover,
        "images": list(shown),
        "need_open_comment": int(settings.need_open_comment),
        "only_fans_can_comment": int(settings.only_fans_can_comment),
    }
    return Rendition(channel, payload, tuple(findings))


def _title(publication: Publication, settings: Settings) -> str:
    own = publication.said("wechat", "title")
    if own:
        return own
    marked = f"更正｜{publication.title}"
    corrected = publication.revision > 1 and bool(publication.change_note)
    return marked if corrected and len(marked) <= settings.title_limit else publication.title


def _digest(publication: Publication, body: Converted, findings: list[Finding]) -> str:
    digest = publication.said("wechat", "digest") or publication.summary.strip()
    if digest:
        return digest
    findings.append(_warn("wording.wechat.digest", "wechat.digest_missing", f"未填写微信摘要，将取正文前 {PLATFORM_DIGEST} 字，建议另拟"))
    return body.text[:PLATFORM_DIGEST].strip()


def _cover(publication: Publication, body: Converted, settings: Settings, findings: list[Finding]) -> dict[str, Json]:
    own = publication.said("wechat", "cover")
    pictures = {p.file.sha256: p for p in publication.pictures}
    if own and own not in pictures:
        findings.append(_block("wording.wechat.cover", "wechat.cover_missing", "微信封面不在本条信息的图片中，请重新选择封面"))
    for sha in (own, publication.cover, *body.images):
        picture = pictures.get(sha)
        if picture is None:
            continue
        if picture.file.size > COVER_BYTES:
            findings.append(
                _block(
                    "wording.wechat.cover",
                    "wechat.cover_too_large",
                    f"微信封面 {picture.file.size:,} 字节，超过上限 {COVER_BYTES:,} 字节，请换小图",
                )
            )
        if picture.file.media_type not in IMAGE_TYPES:
            findings.append(
                _block("wording.wechat.cover", "wechat.cover_type", f"微信封面格式 {picture.file.media_type} 不受支持，请换用 JPG 或 PNG")
            )
        return {"source": "picture", "sha256": sha, "alt": picture.alt}
    if settings.default_cover:
        return {"source": "account", "sha256": settings.default_cover, "alt": ""}
    drawn = draw_cover(publication.column.slug)
    return {"source": "drawn", "sha256": sha256_hex(drawn), "alt": "", "png": base64.b64encode(drawn).decode()}


def _content(publication: Publication, body: Converted, form: str, title: str) -> str:
    parts: list[str] = []
    if publication.revision > 1 and publication.change_note:
        parts.append(f'<section style="{_NOTE}"><strong>更正说明：</strong>{_text(publication.change_note)}</section>')
    if title not in (publication.title, f"更正｜{publication.title}"):
        parts.append(f'<p style="{PARAGRAPH}"><strong>{_text(publication.title)}</strong></p>')
    if publication.subtitle:
        parts.append(f'<p style="{PARAGRAPH}">{_text(publication.subtitle)}</p>')
    if form == "full":
        parts.append(body.html)
    else:
        summary = publication.summary.strip() or publication.said("wechat", "digest") or body.text[:PLATFORM_DIGEST]
        parts.append(f'<p style="{PARAGRAPH}">{_text(summary)}</p>')
        parts.append(f'<p style="{PARAGRAPH}"><strong>全文较长，请点击文末“阅读原文”查看。</strong></p>')
    parts += _attachments(publication)
    parts += _relations(publication)
    parts.append(_metadata(publication))
    if form == "full" and body.links:
        rows = "<br>".join(f"[{number}] {_text(link)}" for number, link in enumerate(body.links, 1))
        parts.append(f'<p style="{_SMALL}"><strong>参考链接</strong><br>{rows}</p>')
    return f'<section style="{_FRAME}">{"".join(parts)}</section>'


def _attachments(publication: Publication) -> list[str]:
    if not publication.attachments:
        return []
    rows = "<br>".join(f"{number}. {_text(file.name)}" for number, file in enumerate(publication.attachments, 1))
    return [f'<p style="{_SMALL}"><strong>附件</strong>（请点击文末“阅读原文”下载）<br>{rows}</p>']


def _relations(publication: Publication) -> list[str]:
    rows = [f"{_RELATIONS[r.type]}：{_text(r.title)}" for r in publication.relations if r.type in _RELATIONS]
    return [f'<p style="{_SMALL}"><strong>相关信息</strong>（见“阅读原文”）<br>{"<br>".join(rows)}</p>'] if rows else []


def _metadata(publication: Publication) -> str:
    """来源、索引号、文号、成文日期 …: a repost also says where it was taken from (互联网新闻信息稿源 rules, domain.md §4)."""
    rows = [
        ("来源", publication.source),
        ("转载自", publication.source_url),
        ("索引号", publication.index_no),
        ("文号", publication.doc_no),
        ("成文日期", publication.issued_on.isoformat() if publication.issued_on else ""),
        ("施行日期", publication.effective_on.isoformat() if publication.effective_on else ""),
        ("效力状态", publication.validity if publication.validity in ("尚未施行", "失效", "废止") else ""),
    ]
    return f'<p style="{_META}">{"<br>".join(f"{name}：{_text(value)}" for name, value in rows if value)}</p>'


def _length_findings(title: str, author: str, digest: str, settings: Settings) -> list[Finding]:
    found: list[Finding] = []
    if not title:
        found.append(_block("wording.wechat.title", "wechat.title_missing", "微信标题为空，请填写标题"))
    for name, words, value, most, advised in (
        ("title", "微信标题", title, settings.title_limit, settings.title_limit),
        ("author", "微信作者", author, settings.author_limit, settings.author_warn),
        ("digest", "微信摘要", digest, settings.digest_limit, settings.digest_warn),
    ):
        where = f"wording.wechat.{name}"
        if len(value) > most:
            found.append(_block(where, f"wechat.{name}_too_long", f"{words} {len(value)} 字，超过上限 {most} 字，请在“{words}”中另拟"))
        elif len(value) > advised:
            found.append(
                _warn(where, f"wechat.{name}_long", f"{words} {len(value)} 字，超过稳妥长度 {advised} 字（上限 {most} 字），建议缩短")
            )
    return found


def _content_findings(content: str, form: str, images: int, settings: Settings) -> list[Finding]:
    # The address that replaces `file:SHA256` is longer by an amount that only the platform knows.
    reserve = images * settings.image_url_reserve
    characters, size = len(content) + reserve, len(content.encode()) + reserve
    if characters < settings.content_limit and size < settings.content_bytes:
        return []
    remedy = "请把“微信形式”改为“摘要＋阅读原文”（digest）" if form == "full" else "请缩短摘要、附件名或更正说明"
    return [
        _block(
            "wording.wechat.form",
            "wechat.content_too_long",
            f"微信正文连同排版标记共 {characters:,} 字（{size:,} 字节），"
            f"须少于 {settings.content_limit:,} 字（{settings.content_bytes:,} 字节），{remedy}",
        )
    ]


def _picture_findings(publication: Publication, shown: tuple[str, ...]) -> list[Finding]:
    pictures = {p.file.sha256: p for p in publication.pictures}
    found: list[Finding] = []
    for sha in shown:
        picture = pictures.get(sha)
        if picture is None:
            found.append(_block("body", "wechat.picture_unlisted", f"正文图片 {sha[:8]}… 不在图片清单中，请重新插入该图片"))
        elif picture.file.media_type not in IMAGE_TYPES:
            found.append(
                _block(
                    "body", "wechat.picture_type", f"图片“{picture.file.name}”格式 {picture.file.media_type} 不受支持，请换用 JPG 或 PNG"
                )
            )
    return found


def _text(value: str) -> str:
    return escape(value.strip(), quote=False).replace("\n", "<br>")


def _block(field: str, code: str, message: str) -> Finding:
    return Finding(Severity.BLOCK, field, code, message)


def _warn(field: str, code: str, message: str) -> Finding:
    return Finding(Severity.WARN, field, code, message)

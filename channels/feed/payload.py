"""From a publication to the payload that reviewers approve: plain JSON, complete, with every address absolute."""

from __future__ import annotations

import re
from html import escape
from urllib.parse import quote

from channels.base import Finding, Json, Publication, Severity, SiteIdentity
from channels.feed.markup import absolute, excerpt, file_url
from channels.feed.text import Cleaner, clean, paragraphs

FEED = re.compile(r"all|(?:column|area|department)-[A-Za-z0-9][A-Za-z0-9_-]{0,99}")
"""What a feed may be called: it becomes a file name."""
_MEDIA_TYPE = re.compile(r"[A-Za-z0-9!#$&^_.+-]+/[A-Za-z0-9!#$&^_.+-]+")
_SUMMARY = 200


def build(publication: Publication, site: SiteIdentity) -> tuple[dict[str, Json], tuple[Finding, ...]]:
    """Return the payload and what was found wrong. Deterministic: same publication and site, same payload."""
    cleaner = Cleaner()
    findings: list[Finding] = []
    title = cleaner.line(publication.title, "title")
    if not title:
        findings.append(Finding(Severity.BLOCK, "title", "title_missing", "标题为空，订阅源的条目必须有标题；请填写标题"))
    feeds = _feeds(publication, cleaner)
    for entry in feeds:
        slug = str(entry["slug"])
        if not FEED.fullmatch(slug):
            message = f"标识“{slug}”不能作为订阅源文件名，只能由英文字母、数字、-、_ 组成；请在配置中更正"
            findings.append(Finding(Severity.BLOCK, slug.partition("-")[0], "slug_invalid", message))
    pictures = {each.file.sha256: each.file for each in publication.pictures}
    body, missing = absolute(cleaner.block(publication.body_html, "body"), site_url=site.url, page_url=publication.url, pictures=pictures)
    # A character reference such as &#11; is only a character after parsing.
    body = clean(body)
    findings += [
        Finding(Severity.BLOCK, "body", "picture_unknown", f"正文引用的图片 {sha[:12]}… 不在图片清单中；请重新插入该图片")
        for sha in missing
    ]
    note = cleaner.block(publication.change_note, "change_note").strip()
    attachments = _attachments(publication, site, cleaner)
    summary = cleaner.line(publication.summary, "summary") or excerpt(body, _SUMMARY) or title
    creators = list(
        dict.fromkeys(filter(None, (cleaner.line(publication.department.name, "department"), cleaner.line(publication.author, "author"))))
    )
    content = "".join(
        (
            f"<p><strong>更正说明：</strong>{paragraphs(note)}</p>" if note else "",
            f"<p><strong>{escape(subtitle, quote=False)}</strong></p>"
            if (subtitle := cleaner.line(publication.subtitle, "subtitle"))
            else "",
            body,
            _attachment_list(attachments),
            _facts(publication, cleaner),
        )
    )
    payload: dict[str, Json] = {
        "public_id": publication.public_id,
        "revision": publication.revision,
        "url": publication.url,
        "title": title,
        "summary": summary,
        "content_html": content,
        "creators": [*creators],
        "index_no": cleaner.line(publication.index_no, "index_no"),
        "doc_no": cleaner.line(publication.doc_no, "doc_no"),
        "source": cleaner.line(publication.source, "source"),
        "source_url": _web_address(publication.source_url),
        "categories": _categories(publication, site, cleaner),
        "related": [
            {"url": each.url, "title": cleaner.line(each.title, "relations")}
            for each in publication.relations
            if each.url != publication.url
        ],
        "attachments": [*attachments],
        "image": file_url(site.url, pictures[publication.cover]) if publication.cover in pictures else "",
        "change_note": note,
        "feeds": [*feeds],
    }
    return payload, (*findings, *cleaner.findings)


def _web_address(url: str) -> str:
    """``url`` in ASCII, as feeds want it; empty when it leads nowhere on the web."""
    return quote(clean(url).strip(), safe="%/:=&?~#+!$,;'@()*[]-._") if url.startswith(("http://", "https://")) else ""


def _feeds(publication: Publication, cleaner: Cleaner) -> list[dict[str, Json]]:
    """The feeds this item belongs to: all, its department, its area, its column and every column above it."""
    feeds: list[dict[str, Json]] = [{"slug": "all", "name": ""}]
    department, area, column = publication.department, publication.area, publication.column
    feeds.append({"slug": f"department-{department.slug}", "name": cleaner.line(department.name, "department")})
    if area is not None:
        feeds.append({"slug": f"area-{area.slug}", "name": cleaner.line(area.name, "area")})
    columns = [(each.slug, each.name) for each in column.parents] + [(column.slug, column.name)]
    feeds += [{"slug": f"column-{slug}", "name": cleaner.line(name, "column")} for slug, name in columns]
    return feeds


def _categories(publication: Publication, site: SiteIdentity, cleaner: Cleaner) -> list[Json]:
    column, area = publication.column, publication.area
    wanted = [(cleaner.line(column.name, "column"), f"{site.url}/columns/{column.slug}/")]
    if area is not None:
        wanted.append((cleaner.line(area.name, "area"), f"{site.url}/areas/{area.slug}/"))
    words = [("theme", publication.theme), ("genre", publication.genre), *(("keywords", each) for each in publication.keywords)]
    wanted += [(cleaner.line(word, name), "") for name, word in words]
    seen: dict[str, str] = {}
    for term, scheme in wanted:
        if term:
            seen.setdefault(term, scheme)
    return [{"term": term, "scheme": scheme} for term, scheme in seen.items()]


def _attachments(publication: Publication, site: SiteIdentity, cleaner: Cleaner) -> list[dict[str, Json]]:
    return [
        {
            "url": file_url(site.url, each),
            "name": cleaner.line(each.name, "attachments"),
            "media_type": each.media_type if _MEDIA_TYPE.fullmatch(each.media_type) else "application/octet-stream",
            "size": each.size,
            "sha256": each.sha256,
        }
        for each in publication.attachments
    ]


def _attachment_list(attachments: list[dict[str, Json]]) -> str:
    if not attachments:
        return ""
    lines = "".join(f'<li><a href="{escape(str(each["url"]))}">{escape(str(each["name"]), quote=False)}</a></li>' for each in attachments)
    return f"<p>附件：</p><ul>{lines}</ul>"


def _facts(publication: Publication, cleaner: Cleaner) -> str:
    """The metadata a reader of a disclosure record looks for, below the text (政府信息公开目录 core elements)."""
    validity = "" if publication.validity == "不适用" else publication.validity
    facts = [
        ("索引号", "index_no", publication.index_no),
        ("发文字号", "doc_no", publication.doc_no),
        ("发布机构", "department", publication.department.name),
        ("成文日期", "issued_on", publication.issued_on.isoformat() if publication.issued_on else ""),
        ("主题分类", "theme", publication.theme),
        ("有效性", "validity", validity),
        ("失效日期", "expires_on", publication.expires_on.isoformat() if publication.expires_on else ""),
        ("来源", "source", publication.source),
        ("作者", "author", publication.author),
    ]
    lines = [f"{label}：{escape(text, quote=False)}" for label, name, value in facts if (text := cleaner.line(value, name))]
    # AI-made content must carry a visible label wherever it is shown (标识办法, in force since 2025-09-01).
    lines += [
        f"图片“{escape(cleaner.line(each.alt or each.file.name, 'pictures'), quote=False)}”由人工智能生成"
        for each in publication.pictures
        if each.ai_generated
    ]
    return f"<hr><p>{'<br>'.join(lines)}</p>" if lines else ""

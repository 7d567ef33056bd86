"""From a publication to what is reviewed and sent: the words and at most one picture. Pure."""

from __future__ import annotations

from urllib.parse import urlsplit

from channels.base import Finding, Json, Picture, Publication, Rendition, Severity
from channels.weibo.settings import Settings
from channels.weibo.text import FIELD, Rule, length, status_of, url_spans

SUFFIXES = {"image/jpeg": "jpg", "image/png": "png", "image/gif": "gif"}
"""Picture types the platform takes, and the suffix of the ASCII file name we send."""
NO_PICTURE = "none"
COVER_FIELD = "wording.weibo.cover"


def rendition(publication: Publication, settings: Settings) -> Rendition:
    rule = Rule(settings.text_limit, settings.url_length, settings.url_free_bytes)
    picture, findings = chosen_picture(publication, settings.picture_bytes)
    text, wrong = status_of(publication, rule, ai_picture=bool(picture and picture.ai_generated))
    findings += wrong
    findings += _account_findings(text, settings)
    payload: dict[str, Json] = {"text": text, "length": length(text, rule), "picture": _picture_json(picture)}
    return Rendition("weibo", payload, tuple(findings))


def chosen_picture(publication: Publication, smaller_than: int) -> tuple[Picture | None, list[Finding]]:
    """The picture named for Weibo, else the item's cover, else the first that the platform takes."""
    named = publication.said("weibo", "cover")
    if named == NO_PICTURE:
        return None, []
    by_sha = {picture.file.sha256: picture for picture in publication.pictures}
    if named:
        picture = by_sha.get(named)
        wrong = _picture_problem(picture, smaller_than) if picture else "所选配图不在本稿件的图片中，请重新选择。"
        return picture, [Finding(Severity.BLOCK, COVER_FIELD, "weibo.picture", wrong)] if wrong else []
    first = [by_sha[publication.cover]] if publication.cover in by_sha else []
    findings: list[Finding] = []
    for picture in [*first, *(p for p in publication.pictures if p not in first)]:
        wrong = _picture_problem(picture, smaller_than)
        if not wrong:
            return picture, findings
        findings.append(Finding(Severity.WARN, COVER_FIELD, "weibo.picture.skipped", f"{wrong}现未用作微博配图。"))
    return None, findings


def _picture_problem(picture: Picture, smaller_than: int) -> str:
    file = picture.file
    if file.media_type not in SUFFIXES:
        return f"图片“{file.name}”的格式（{file.media_type}）微博不支持，请换成 JPG、PNG 或 GIF。"
    if file.size >= smaller_than:
        return f"图片“{file.name}”为 {file.size} 字节，微博要求小于 {smaller_than} 字节，请压缩。"
    return ""


def _picture_json(picture: Picture | None) -> Json:
    if picture is None:
        return None
    return {"sha256": picture.file.sha256, "media_type": picture.file.media_type, "alt": picture.alt}


def _account_findings(text: str, settings: Settings) -> list[Finding]:
    """What only the account's keeper can mend warns and does not block: the other channels must not wait for it."""
    findings = []
    if settings.rip_problem:
        findings.append(Finding(Severity.WARN, "settings.operator_ip", "weibo.operator_ip", f"{settings.rip_problem}。"))
    if settings.safe_domains and not any(on_safe_domain(text[start:stop], settings.safe_domains) for start, stop in url_spans(text)):
        message = f"微博正文里没有安全域名（{'、'.join(settings.safe_domains)}）下的网址，平台会拒绝（10017），请核对网址或渠道设置。"
        findings.append(Finding(Severity.WARN, FIELD, "weibo.text.domain", message))
    return findings


def on_safe_domain(url: str, domains: tuple[str, ...]) -> bool:
    """True when the address's host is one of ``domains`` or below one."""
    host = urlsplit(url).hostname or ""
    return any(host == domain or host.endswith("." + domain) for domain in domains)

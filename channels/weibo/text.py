"""The words of a post: counted, completed with the item's address, or composed when the editor gave none. Pure.

Length is counted in half-units (weibo.md §3): a UTF-16 code unit up to U+00FF is one, any other two, CRLF is one; the
sum is halved upwards. An address counts as ten 汉字, and every byte over 140 as one half-unit more.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from channels.base import Finding, Publication, Severity

FIELD = "wording.weibo.text"
# ASCII only: a 汉字 after an address is not part of it, whatever the platform makes of it.
_URL = re.compile(r"https?://[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]+", re.IGNORECASE)
_URL_TAIL = ".,;:!?)]'"
_TOPIC = re.compile(r"#([^#\n]+)#")
_SENTENCE = re.compile(r"[^。！？!?；;\n]*[。！？!?；;\n]+[”’」』）)》]*|[^。！？!?；;\n]+$")
_BREAK = re.compile(r"(?<=[^\x00-\xff])[ \t]*[\r\n]+\s*(?=[^\x00-\xff])")
_AI_WORDS = ("AI", "人工智能")
AI_LABEL = "（配图由AI生成）"


@dataclass(frozen=True, slots=True)
class Rule:
    """How much fits, in 汉字, and what an address costs."""

    limit: int = 130
    url_length: int = 10
    url_free_bytes: int = 140


def half_units(text: str) -> int:
    """Half-units of ``text`` without regard to addresses."""
    units = text.replace("\r\n", "\n").encode("utf-16-le")
    return sum(1 if high == 0 else 2 for high in units[1::2])


def length(text: str, rule: Rule | None = None) -> int:
    """Length in 汉字 as the platform counts it, addresses at their fixed price."""
    rule = rule or Rule()
    total, end = 0, 0
    for start, stop in url_spans(text):
        size = stop - start
        total += half_units(text[end:start]) + 2 * rule.url_length + max(0, size - rule.url_free_bytes)
        end = stop
    return (total + half_units(text[end:]) + 1) // 2


def url_spans(text: str) -> list[tuple[int, int]]:
    """Where the addresses are; punctuation that closes a sentence after one is not part of it."""
    return [(m.start(), m.start() + len(m.group().rstrip(_URL_TAIL))) for m in _URL.finditer(text)]


def status_of(publication: Publication, rule: Rule, *, ai_picture: bool) -> tuple[str, list[Finding]]:
    """The status to be sent and what is wrong with it. Nobody's wording is ever shortened."""
    wording = publication.said("weibo", "text")
    findings: list[Finding] = []
    if wording:
        text = with_url(_plain(wording, findings), publication.url)
        if ai_picture and not any(word in text for word in _AI_WORDS):
            findings.append(Finding(Severity.WARN, FIELD, "weibo.text.ai_label", "配图由人工智能生成，请在微博正文中注明“配图由AI生成”。"))
    else:
        text = _composed(publication, rule, findings, AI_LABEL if ai_picture else "")
    count = length(text, rule)
    if count > rule.limit:
        findings.append(Finding(Severity.BLOCK, FIELD, "weibo.text.too_long", _too_long(count, rule, bool(wording))))
    return text, findings


def with_url(text: str, url: str) -> str:
    """``text`` with the item's address in it, and a space after every address that is followed by something."""
    parts, end, found = [], 0, False
    for start, stop in url_spans(text):
        found = found or text[start:stop].rstrip("/") == url.rstrip("/")
        parts.append(text[end:stop])
        # Otherwise the platform may take what follows into the address (weibo.md §2).
        if stop < len(text) and not text[stop].isspace():
            parts.append(" ")
        end = stop
    spaced = "".join(parts) + text[end:]
    return spaced if found else f"{spaced} {url}".lstrip()


def _plain(text: str, findings: list[Finding]) -> str:
    """Take the hash marks of ``#话题#`` away and keep the words: the platform would drop the whole of it."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    parts, end, topics = [], 0, []
    for start, stop in [*url_spans(text), (len(text), len(text))]:
        outside = text[end:start]
        topics += _TOPIC.findall(outside)
        parts += [_TOPIC.sub(r"\1", outside), text[start:stop]]
        end = stop
    if topics:
        message = f"微博接口不允许话题，已去掉“{'”“'.join(topics)}”两侧的 # 号，文字保留。"
        findings.append(Finding(Severity.WARN, FIELD, "weibo.text.topic", message))
    return "".join(parts)


def _composed(publication: Publication, rule: Rule, findings: list[Finding], label: str) -> str:
    """``【title】`` and as many whole sentences of the summary as fit, then the address."""
    corrected = publication.revision > 1 and bool(publication.change_note.strip())
    lead = _lead(_plain(_one_line(publication.title), findings), corrected)
    body = _one_line(publication.summary)
    if corrected:
        note = _one_line(publication.change_note)
        body = note + ("" if note.endswith(("。", "！", "？", "；")) else "。") + body
    sentences = _SENTENCE.findall(_plain(body, findings))
    for count in range(len(sentences), -1, -1):
        if 0 < count < len(sentences) and sentences[count - 1].endswith(("？", "?")):
            # A post that ends in a question whose answer was left off reads like a riddle.
            continue
        text = with_url(lead + "".join(sentences[:count]).strip() + label, publication.url)
        if length(text, rule) <= rule.limit:
            return text
    return with_url(lead + label, publication.url)


def _lead(title: str, corrected: bool) -> str:
    if corrected and not title.startswith("【更正】"):
        title = f"【更正】{title}"
    if "【" not in title:
        return f"【{title}】"
    return title if title.endswith(("。", "！", "？", "】")) else f"{title}。"


def _one_line(text: str) -> str:
    """One paragraph: a line break between 汉字 disappears, any other white space becomes one blank."""
    return " ".join(_BREAK.sub("", text.strip()).split())


def _too_long(count: int, rule: Rule, written: bool) -> str:
    over = count - rule.limit
    if written:
        return f"微博正文连同网址共 {count} 字，超过上限 {rule.limit} 字，请减少 {over} 字。"
    return f"标题连同网址共 {count} 字，超过微博上限 {rule.limit} 字，请另写一段不超过 {rule.limit - rule.url_length} 字的微博正文。"

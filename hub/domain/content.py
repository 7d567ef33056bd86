"""What a revision says: every field of a disclosure item (公开信息), immutable.

Values that a district may change (columns, areas, departments) are slugs that point at data, never enums. Values that
the State Council's rules fix are listed here, each with its source (``domain.md`` §3).
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from datetime import date
from typing import Any

KINDS: dict[str, str] = {
    "notice": "通知公告",
    "policy": "政策文件",
    "interpretation": "政策解读",
    "emergency": "预警应急",
    "qa": "民生问答",
    "correction": "更正公告",
    "consultation": "意见征集",
    "announcement": "信息公告",
    "publicity": "公示",
    "budget": "财政预决算",
    "news": "工作动态",
    "regulation": "法规规章",
}
DISCLOSURE_ATTRS = ("主动公开", "依申请公开", "不予公开")
GENRES = ("决议", "决定", "命令", "公报", "公告", "通告", "意见", "通知", "通报", "报告", "请示", "批复", "议案", "函", "纪要", "其他")
VALIDITIES = ("有效", "尚未施行", "失效", "废止", "不适用")
GRADES = ("A", "B", "C")
URGENCIES = ("普通", "加急", "特急")
SOURCE_KINDS = ("本单位制发", "转载", "中心采写")
RELATION_TYPES = ("interprets", "interpreted_by", "corrects", "corrected_by", "replaces", "replaced_by")
CHANNELS = ("website", "feed", "wechat", "weibo", "app")
"""``app`` (客户端) is kept on the item; it has no channel yet and gets no delivery."""
CHANNEL_ALIASES = {"rss": "feed"}

WORDING_KEYS: dict[str, tuple[str, ...]] = {
    "wechat": ("title", "digest", "author", "cover", "form"),
    "weibo": ("text", "cover"),
}


@dataclass(frozen=True, slots=True)
class FileUse:
    """A stored file as one revision uses it. ``role``: attachment, picture (in the body) or cover."""

    sha256: str
    name: str
    media_type: str
    size: int
    role: str = "attachment"
    alt: str = ""
    caption: str = ""
    width: int = 0
    height: int = 0
    ai_generated: bool = False


@dataclass(frozen=True, slots=True)
class RelationTo:
    """``target`` is the other item's public id."""

    type: str
    target: str


@dataclass(frozen=True, slots=True)
class Content:
    """All that reviewers sign, except the renditions made from it. Texts are NFC, without characters XML 1.0 forbids."""

    title: str
    body: str
    """Sanitised HTML (see ``channels.base.Publication.body_html``); pictures as ``file:SHA256``."""
    kind: str
    department: str
    """Slug of the disclosing organ (公开主体)."""
    column: str
    """Slug of the column (栏目)."""
    formed_on: date
    """形成(变更)日期: the statutory clock starts the day after (条例 26)."""
    subtitle: str = ""
    summary: str = ""
    area: str = ""
    """Slug of the area (领域), empty outside the 26."""
    doc_no: str = ""
    """发文字号, ``^[\\u4e00-\\u9fff]{2,12}〔\\d{4}〕[1-9]\\d{0,4}号$``."""
    issued_on: date | None = None
    """成文日期."""
    effective_on: date | None = None
    expires_on: date | None = None
    validity: str = "不适用"
    disclosure_attr: str = "主动公开"
    genre: str = "其他"
    theme: str = ""
    keywords: tuple[str, ...] = ()
    source_kind: str = "本单位制发"
    source: str = ""
    """ContentSource; empty: the department's name."""
    source_url: str = ""
    author: str = ""
    grade: str = "A"
    """审核级别: A ordinary, B important, C sensitive (domain.md §4)."""
    urgency: str = "普通"
    audience: str = "全社会"
    level: str = "县级"
    channels: tuple[str, ...] = ("website", "feed")
    wording: dict[str, dict[str, str]] = field(default_factory=dict)
    relations: tuple[RelationTo, ...] = ()
    files: tuple[FileUse, ...] = ()
    details: dict[str, Any] = field(default_factory=dict)
    """Facts of one kind only: warning, qa, consultation, correction, publicity, catalogue row, time limit. Plain JSON."""
    change_note: str = ""
    """更正说明: from the second released revision on, what changed and why, for the public."""

    def to_json(self) -> dict[str, Any]:
        """Plain JSON with ISO dates; the inverse of ``from_json``."""
        return {k: _plain(v) for k, v in dataclasses.asdict(self).items()}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Content:
        """Rebuild from ``to_json``. Raises KeyError or ValueError for anything else."""
        known = dict(value)
        for name in ("formed_on", "issued_on", "effective_on", "expires_on"):
            if known.get(name):
                known[name] = date.fromisoformat(known[name])
            elif name in known:
                known[name] = None
        known["keywords"] = tuple(known.get("keywords", ()))
        known["channels"] = tuple(known.get("channels", ()))
        known["relations"] = tuple(RelationTo(**r) for r in known.get("relations", ()))
        known["files"] = tuple(FileUse(**f) for f in known.get("files", ()))
        return cls(**known)


def _plain(value: Any) -> Any:
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, tuple | list):
        return [_plain(v) for v in value]
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    return value

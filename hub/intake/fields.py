"""Field names as people write them, and how a written value becomes a field of ``Content``.

One table serves spreadsheets, front matter, form defaults and JSON, so that a header means the same everywhere.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping

from hub.domain.content import CHANNEL_ALIASES, CHANNELS, KINDS
from hub.domain.problems import Problem
from hub.intake.dates import DATE_REMEDY, parse_date
from hub.intake.text import clean_line, clean_text

FIELDS: dict[str, tuple[str, ...]] = {
    "external_ref": ("编号", "id", "序号编号", "信息编号"),
    "title": ("标题", "名称", "信息名称", "信息标题"),
    "subtitle": ("副标题",),
    "body": ("正文", "内容", "信息内容"),
    "summary": ("摘要", "内容概述", "内容摘要"),
    "kind": ("信息类型", "类型", "类别"),
    "department": ("公开主体", "部门", "发布机构", "发布单位", "报送单位", "发文机关"),
    "column": ("栏目", "拟发栏目", "发布栏目"),
    "site_column": ("子栏目", "网站栏目"),
    "area": ("领域", "所属领域", "重点领域"),
    "formed_on": ("形成日期", "生成日期", "形成(变更)日期", "信息形成日期", "formed_date", "date"),
    "issued_on": ("成文日期", "发文日期", "印发日期"),
    "effective_on": ("施行日期", "生效日期", "实施日期"),
    "expires_on": ("失效日期", "有效期至", "截止日期"),
    "doc_no": ("发文字号", "文号", "文件编号", "doc_number"),
    "index_no": ("索引号", "信息索引号", "index_number"),
    "validity": ("效力状态", "效力状况", "有效性"),
    "disclosure_attr": ("公开属性", "disclosure_attribute"),
    "withheld_reason": ("不公开理由", "不予公开理由"),
    "genre": ("体裁", "文种", "体裁(文种)"),
    "theme": ("主题分类", "主题"),
    "keywords": ("关键词", "关键字"),
    "source_kind": ("信息来源", "来源类型"),
    "source": ("来源", "稿件来源", "content_source"),
    "source_url": ("来源网址", "原文网址", "原文链接"),
    "author": ("作者", "供稿人", "撰稿人"),
    "grade": ("审核级别", "级别", "review_grade"),
    "urgency": ("紧急程度", "缓急"),
    "audience": ("公开对象",),
    "level": ("公开层级",),
    "channels": ("发布渠道", "渠道"),
    "change_note": ("更正说明",),
    "wechat_title": ("微信标题",),
    "wechat_digest": ("微信摘要",),
    "weibo_text": ("微博文字", "微博文案"),
    "attachments": ("附件", "附件文件名"),
    "pictures": ("图片", "图片文件名"),
    "picture_alts": ("图片说明", "图片文字说明"),
    "catalog_item_level1": ("一级事项",),
    "catalog_item_level2": ("二级事项",),
}
"""Our name → the headers that mean it, the first being the label shown to people."""

DATES = ("formed_on", "issued_on", "effective_on", "expires_on")
_CHANNEL_NAMES = {
    "网站": "website",
    "门户网站": "website",
    "政府网站": "website",
    "区政府网站": "website",
    "订阅": "feed",
    "订阅源": "feed",
    "微信": "wechat",
    "微信公众号": "wechat",
    "公众号": "wechat",
    "微博": "weibo",
    "客户端": "app",
    **CHANNEL_ALIASES,
}
CHANNEL_LABELS = {"website": "网站", "feed": "订阅", "wechat": "微信", "weibo": "微博", "app": "客户端"}
_SPLIT = re.compile(r"[、,，;；|\n]+")
_LOOKUP = {re.sub(r"\s", "", unicodedata.normalize("NFKC", h)).lower(): n for n, hs in FIELDS.items() for h in (n, *hs)}


def label_of(name: str) -> str:
    """Chinese label of one of our fields; the name itself when it is not in the table."""
    return FIELDS[name][0] if name in FIELDS else name


def field_of(header: object) -> str | None:
    """Our name for a header or key in Chinese or English; spaces, width, case, a trailing ``*`` and （必填） do not matter."""
    plain = re.sub(r"\s", "", unicodedata.normalize("NFKC", str(header))).lower()
    plain = re.sub(r"\*|\((?:必填|选填)\)", "", plain)
    return _LOOKUP.get(plain)


def words(value: object) -> tuple[str, ...]:
    """A list, or a text with 、，；| or line ends between the words."""
    if isinstance(value, list | tuple):
        return tuple(w for v in value if (w := clean_line(str(v))))
    return tuple(w for v in _SPLIT.split(clean_text(written(value))) if (w := clean_line(v)))


def written(value: object) -> str:
    """A cell's value as text: whole numbers without ``.0``, None as an empty text."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def read_values(raw: Mapping[str, object]) -> tuple[dict[str, object], list[Problem]]:
    """Values by our names, typed: dates, tuples, lines. Empty ones are left out. Problems name what could not be read."""
    values: dict[str, object] = {}
    problems: list[Problem] = []
    for name, value in raw.items():
        if name in DATES:
            try:
                day = parse_date(value)
            except ValueError as error:
                problems.append(Problem(name, "bad_date", f"{label_of(name)}{error}", DATE_REMEDY))
                continue
            if day is not None:
                values[name] = day
        elif name == "keywords":
            values[name] = tuple(dict.fromkeys(words(value)))
        elif name == "channels":
            chosen = [_CHANNEL_NAMES.get(w, _CHANNEL_NAMES.get(w.lower(), w)) for w in words(value)]
            values[name] = tuple(sorted(dict.fromkeys(chosen), key=lambda c: (CHANNELS.index(c) if c in CHANNELS else len(CHANNELS), c)))
        elif name == "body":
            values[name] = clean_text(written(value))
        else:
            values[name] = clean_line(written(value))
    if "kind" in values:
        values["kind"] = next((k for k, label in KINDS.items() if values["kind"] in (k, label)), values["kind"])
    for name in ("grade", "doc_no"):
        if values.get(name):
            values[name] = unicodedata.normalize("NFKC", str(values[name])).replace(" ", "")
    return {k: v for k, v in values.items() if v not in ("", (), None)}, problems

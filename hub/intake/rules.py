"""The rules every field must keep before an item goes to review, each in words for the author.

Sources: ``doc_no`` GB/T 9704-2012; dates and 公开属性 条例 (国令第711号) 14, 16, 26; reposts 国办发〔2018〕123号; picture
descriptions GB/T 37668-2019. Rules of one kind's own facts are in ``rules_details``.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from datetime import date
from urllib.parse import urlsplit

from hub.domain.content import (
    CHANNELS,
    DISCLOSURE_ATTRS,
    GENRES,
    GRADES,
    KINDS,
    RELATION_TYPES,
    SOURCE_KINDS,
    URGENCIES,
    VALIDITIES,
    WORDING_KEYS,
    Content,
)
from hub.domain.problems import Problem
from hub.intake.body import images_of, is_clean, text_of
from hub.intake.rules_details import details_problems
from hub.intake.secrecy import Mark, find_mark
from hub.intake.text import bad_characters
from hub.intake.vocabulary import Vocabulary, near_matches

TITLE_LENGTH = 200
SUMMARY_LENGTH = 500
KEYWORDS_MOST = 10
KEYWORD_LENGTH = 30
ALT_LENGTH = 200
DOC_NO = re.compile(r"[\u4e00-\u9fff]{2,12}〔\d{4}〕[1-9]\d{0,4}号")
_DOC_NO_NEARLY = re.compile(r"([\u4e00-\u9fff]{2,12})[\[(〔【{<《﹝]?(\d{4})[\])〕】}>》﹞年]?第?0*(\d{1,5})号?")
_EARLIEST = date(1949, 10, 1)
_ENUMS: dict[str, tuple[str, tuple[str, ...]]] = {
    "kind": ("信息类型", tuple(KINDS)),
    "validity": ("效力状态", VALIDITIES),
    "disclosure_attr": ("公开属性", DISCLOSURE_ATTRS),
    "genre": ("体裁", GENRES),
    "grade": ("审核级别", GRADES),
    "urgency": ("紧急程度", URGENCIES),
    "source_kind": ("信息来源", SOURCE_KINDS),
}
_LINES = {
    "title": ("标题", TITLE_LENGTH),
    "subtitle": ("副标题", TITLE_LENGTH),
    "summary": ("摘要", SUMMARY_LENGTH),
    "theme": ("主题分类", 60),
    "source": ("来源", 100),
    "source_url": ("来源网址", 500),
    "author": ("作者", 60),
    "audience": ("公开对象", 100),
    "level": ("公开层级", 20),
    "doc_no": ("发文字号", 30),
    "change_note": ("更正说明", 1000),
}


def problems_of(content: Content, vocabulary: Vocabulary, *, today: date) -> tuple[Problem, ...]:
    """Everything wrong with ``content``, blocking problems first. ``today`` is the day in Asia/Shanghai, from the hub's clock."""
    found = [
        *_texts(content),
        *_choices(content, vocabulary),
        *_dates(content, today),
        *_publicness(content),
        *_provenance(content),
        *_channels(content),
        *_relations(content, vocabulary),
        *_pictures(content),
        *details_problems(content),
    ]
    return tuple(sorted(found, key=lambda p: not p.blocking))


def doc_no_hint(written: str) -> str:
    """The same document number in its proper form, or an empty string when it cannot be told."""
    plain = re.sub(r"\s", "", unicodedata.normalize("NFKC", written))
    if (match := _DOC_NO_NEARLY.fullmatch(plain)) and int(match[3]):
        return f"{match[1]}〔{match[2]}〕{int(match[3])}号"
    return ""


def secrecy_problem(field: str, mark: Mark) -> Problem:
    """The refusal of a classified text, naming what was seen."""
    return Problem(
        field,
        "secrecy_mark",
        f"{mark.where}有涉密标志“{mark.text}”",
        "涉密文件不得上传，请立即删除并按保密规定处理；确已解密的，请换用去除密级标志的正式公开文本",
    )


def _texts(content: Content) -> Iterator[Problem]:
    if not content.title.strip():
        yield Problem("title", "required", "标题没有填写", "请填写标题")
    words = text_of(content.body)
    if not words and not images_of(content.body):
        yield Problem("body", "required", "正文是空的", "请填写正文")
    for name, (label, most) in _LINES.items():
        value: str = getattr(content, name)
        if len(value) > most:
            yield Problem(name, "too_long", f"{label}有{len(value)}字", f"不能超过{most}字")
        if "\n" in value and name != "change_note":
            yield Problem(name, "line_break", f"{label}中有换行", "请写成一行")
    named = {**{n: getattr(content, n) for n in (*_LINES, "body")}, **{f"keywords.{i}": k for i, k in enumerate(content.keywords)}}
    for name, value in named.items():
        if bad := bad_characters(value):
            yield Problem(name, "bad_character", f"含有不能显示的字符 {'、'.join(bad[:5])}", "请删除后重新输入")
    if not is_clean(content.body):
        yield Problem("body", "not_clean", "正文含有不允许的格式", "请重新保存正文")
    for name, text in (("title", content.title), ("subtitle", content.subtitle), ("body", words)):
        if mark := find_mark(text, where="正文" if name == "body" else "标题"):
            yield secrecy_problem(name, mark)
    if len(content.keywords) > KEYWORDS_MOST:
        yield Problem("keywords", "too_many", f"关键词有{len(content.keywords)}个", f"不能超过{KEYWORDS_MOST}个")
    for index, word in enumerate(content.keywords):
        if not word.strip() or len(word) > KEYWORD_LENGTH:
            yield Problem(f"keywords.{index}", "bad_keyword", "关键词为空或过长", f"每个关键词1至{KEYWORD_LENGTH}字")
    if len(set(content.keywords)) < len(content.keywords):
        yield Problem("keywords", "repeated", "关键词有重复", "请删除重复的", blocking=False)
    if content.doc_no and not DOC_NO.fullmatch(content.doc_no):
        hint = doc_no_hint(content.doc_no)
        remedy = f"是不是“{hint}”？" if hint else "格式为机关代字〔四位年份〕序号号，序号不编虚位，例如“云川民规〔2026〕2号”"
        yield Problem("doc_no", "bad_doc_no", f"发文字号“{content.doc_no[:30]}”格式不对", remedy)


def _choices(content: Content, vocabulary: Vocabulary) -> Iterator[Problem]:
    for name, (label, allowed) in _ENUMS.items():
        value: str = getattr(content, name)
        if value not in allowed:
            shown = [KINDS[k] for k in allowed] if name == "kind" else list(allowed)
            near = near_matches(value, shown)
            remedy = f"是不是{'、'.join(f'“{n}”' for n in near)}？" if near else f"请选择{'、'.join(shown)}之一"
            yield Problem(
                name, "unknown" if value else "required", f"{label}“{value[:20]}”不在规定范围内" if value else f"{label}没有填写", remedy
            )
    for name, table in (("department", vocabulary.departments), ("column", vocabulary.columns), ("area", vocabulary.areas)):
        value = getattr(content, name)
        if value in table or (name == "area" and not value):
            continue
        answer = getattr(vocabulary, name)(value)
        yield answer if isinstance(answer, Problem) else Problem(name, "unknown", f"“{value}”应当写成“{answer}”")


def _dates(content: Content, today: date) -> Iterator[Problem]:
    for name, label in (("formed_on", "形成日期"), ("issued_on", "成文日期")):
        day: date | None = getattr(content, name)
        if day and day > today:
            yield Problem(name, "in_future", f"{label}{day}晚于今天", "请核对年份和月份")
        if day and day < _EARLIEST:
            yield Problem(name, "too_early", f"{label}{day}过早", "请核对年份")
    starts, ends = content.effective_on, content.expires_on
    if starts and ends and ends < starts:
        yield Problem("expires_on", "order", f"失效日期{ends}早于施行日期{starts}", "请核对两个日期")
    if content.issued_on and ends and ends < content.issued_on:
        yield Problem("expires_on", "order", f"失效日期{ends}早于成文日期{content.issued_on}", "请核对两个日期")
    if content.issued_on and starts and starts < content.issued_on:
        yield Problem(
            "effective_on", "order", f"施行日期{starts}早于成文日期{content.issued_on}", "请核对；确需溯及既往的可以保留", blocking=False
        )
    if content.issued_on and content.formed_on < content.issued_on:
        yield Problem("formed_on", "order", f"形成日期{content.formed_on}早于成文日期{content.issued_on}", "请核对两个日期", blocking=False)
    if content.validity == "有效" and starts and starts > today:
        yield Problem("validity", "not_yet", f"{starts}才施行，效力状态却是“有效”", "请选择“尚未施行”", blocking=False)
    if content.validity == "尚未施行" and starts and starts <= today:
        yield Problem("validity", "already", f"{starts}已经施行，效力状态却是“尚未施行”", "请选择“有效”", blocking=False)
    if content.validity in ("有效", "尚未施行") and ends and ends < today:
        yield Problem("validity", "expired", f"{ends}已经失效，效力状态却是“{content.validity}”", "请选择“失效”", blocking=False)


def _publicness(content: Content) -> Iterator[Problem]:
    if content.disclosure_attr == "主动公开" or content.disclosure_attr not in DISCLOSURE_ATTRS:
        return
    if content.disclosure_attr == "不予公开" and not str(content.details.get("withheld_reason", "")).strip():
        yield Problem("details.withheld_reason", "required", "不予公开没有写明理由", "请写明依据《政府信息公开条例》的哪一条")
    if content.channels:
        yield Problem(
            "disclosure_attr",
            "not_public",
            f"公开属性为“{content.disclosure_attr}”的信息不能向社会发布",
            "请改为“主动公开”，或不要选择任何发布渠道",
        )


def _provenance(content: Content) -> Iterator[Problem]:
    if content.source_kind == "转载":
        if not content.source:
            yield Problem("source", "required", "转载没有注明来源", "请填写原发布单位")
        if not content.source_url:
            yield Problem("source_url", "required", "转载没有原文网址", "请填写原文网址")
    if content.source_url:
        parts = _split(content.source_url)
        if parts is None or parts[0] not in ("http", "https") or not parts[1]:
            yield Problem(
                "source_url", "bad_url", f"来源网址“{content.source_url[:60]}”不是网址", "请填写以 https:// 或 http:// 开头的完整网址"
            )


def _split(url: str) -> tuple[str, str] | None:
    try:
        parts = urlsplit(url)
        return parts.scheme, parts.hostname or ""
    except ValueError:
        return None


def _channels(content: Content) -> Iterator[Problem]:
    if not content.channels and content.disclosure_attr == "主动公开":
        yield Problem("channels", "required", "没有选择发布渠道", "请至少选择网站")
    for channel in content.channels:
        if channel not in CHANNELS:
            yield Problem("channels", "unknown", f"没有名为“{channel[:20]}”的渠道", f"可选{'、'.join(CHANNELS)}")
    if len(set(content.channels)) < len(content.channels):
        yield Problem("channels", "repeated", "发布渠道有重复", "请删除重复的")
    if content.channels and "website" not in content.channels:
        yield Problem("channels", "website_missing", "没有选择网站", "其他渠道都链接到网站页面，请同时选择网站")
    pictures = {f.sha256 for f in content.files if f.role in ("picture", "cover")}
    for channel, words in content.wording.items():
        if channel not in WORDING_KEYS or not isinstance(words, Mapping):
            yield Problem(f"wording.{channel}", "unknown", f"渠道“{channel}”没有专用文案", f"只有{'、'.join(WORDING_KEYS)}可以设置")
            continue
        for key, value in words.items():
            where = f"wording.{channel}.{key}"
            if key not in WORDING_KEYS[channel]:
                yield Problem(where, "unknown", f"没有名为“{key}”的文案", f"可选{'、'.join(WORDING_KEYS[channel])}")
            elif not isinstance(value, str):
                yield Problem(where, "not_text", "文案不是文字", "请填写文字")
            elif bad := bad_characters(value):
                yield Problem(where, "bad_character", f"含有不能显示的字符 {'、'.join(bad[:5])}", "请删除后重新输入")
            elif key == "cover" and value and value not in pictures:
                yield Problem(where, "unknown_picture", "封面不是本稿件的图片", "请从本稿件的图片中选择")
        if channel not in content.channels:
            yield Problem(f"wording.{channel}", "unused", "写了这个渠道的文案，却没有选择这个渠道", "请选择渠道或删除文案", blocking=False)


def _relations(content: Content, vocabulary: Vocabulary) -> Iterator[Problem]:
    for index, relation in enumerate(content.relations):
        where = f"relations.{index}"
        if relation.type not in RELATION_TYPES:
            yield Problem(f"{where}.type", "unknown", f"没有名为“{relation.type[:30]}”的关联", f"可选{'、'.join(RELATION_TYPES)}")
        if not relation.target:
            yield Problem(f"{where}.target", "required", "关联没有指明对象", "请填写对方的编号")
        elif vocabulary.items is not None and relation.target not in vocabulary.items:
            yield Problem(f"{where}.target", "unknown", f"找不到编号为“{relation.target[:40]}”的信息", "请核对编号")
    if len(set(content.relations)) < len(content.relations):
        yield Problem("relations", "repeated", "关联有重复", "请删除重复的")
    types = {r.type for r in content.relations}
    if content.kind == "interpretation" and "interprets" not in types:
        yield Problem("relations", "no_target", "政策解读没有关联被解读的文件", "请添加关联", blocking=False)
    if content.kind == "correction" and "corrects" not in types:
        yield Problem("relations", "no_target", "更正公告没有关联被更正的信息", "请添加关联", blocking=False)


def _pictures(content: Content) -> Iterator[Problem]:
    files = {f.sha256: f for f in content.files if f.role in ("picture", "cover")}
    shown = dict.fromkeys(sha for sha, _ in images_of(content.body))
    for sha in shown:
        if sha not in files:
            yield Problem("body", "unknown_picture", "正文中的一幅图片不在本稿件的图片里", "请重新插入图片")
    alts = {sha: alt for sha, alt in images_of(content.body) if alt.strip()}
    for index, use in enumerate(content.files):
        if use.role not in ("picture", "cover"):
            continue
        alt = use.alt.strip() or alts.get(use.sha256, "")
        if not alt:
            yield Problem(f"files.{index}.alt", "alt_missing", f"图片“{use.name}”没有文字说明", "请写一句话说明图中内容，供读屏软件朗读")
        elif len(alt) > ALT_LENGTH:
            yield Problem(f"files.{index}.alt", "too_long", f"图片“{use.name}”的文字说明有{len(alt)}字", f"不能超过{ALT_LENGTH}字")
    names = [f.name for f in content.files if f.role == "attachment"]
    for name in sorted({n for n in names if names.count(n) > 1}):
        yield Problem("files", "repeated", f"有{names.count(name)}个附件都叫“{name}”", "请改名，以免读者分不清")

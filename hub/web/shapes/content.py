"""The content of an item as it is sent and given back: ``hub.domain.content.Content`` with limits on size and characters."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from pydantic import ConfigDict, Field

from hub.domain.content import Content
from hub.domain.problems import Invalid, Problem
from hub.intake.body import clean_html
from hub.intake.text import clean_line, clean_text
from hub.web.shapes.base import DIGEST_EXAMPLE, PUBLIC_ID, SLUG, Body, FoundProblem, JsonObject, Sha256, Shape, Text

BODY_MOST = 1_000_000
_TITLE_MOST = 400
_LINES = ("title", "subtitle", "summary", "doc_no", "theme", "source", "author", "audience", "level")

FILE_EXAMPLE: dict[str, Any] = {
    "sha256": DIGEST_EXAMPLE,
    "name": "附件：申请表.docx",
    "media_type": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "size": 18231,
    "role": "attachment",
}
CONTENT_EXAMPLE: dict[str, Any] = {
    "title": "关于开展困难老年人家庭适老化改造的通知",
    "body": "<p>各街道办事处：</p><p>现将有关事项通知如下。</p>",
    "kind": "notice",
    "department": "minzheng",
    "column": "notices",
    "area": "elderly",
    "formed_on": "2026-11-16",
    "summary": "适老化改造补贴申请开始。",
    "keywords": ["养老服务", "适老化改造"],
    "genre": "通知",
    "channels": ["website", "feed", "wechat"],
    "wording": {"wechat": {"title": "适老化改造补贴开始申请"}},
}


class FileUseBody(Body):
    """A file as the upload gave it back; ``alt`` and ``caption`` may be added."""

    sha256: Sha256
    name: Annotated[Text, Field(min_length=1, max_length=120)]
    media_type: Annotated[Text, Field(max_length=120)]
    size: Annotated[int, Field(ge=0, le=2**40)]
    role: Annotated[str, Field(pattern="^(attachment|picture|cover)$", description="attachment 附件 / picture 正文插图 / cover 封面")] = (
        "attachment"
    )
    alt: Annotated[Text, Field(max_length=1000, description="图片的文字说明（无障碍要求）")] = ""
    caption: Annotated[Text, Field(max_length=1000)] = ""
    width: Annotated[int, Field(ge=0, le=100_000)] = 0
    height: Annotated[int, Field(ge=0, le=100_000)] = 0
    ai_generated: bool = False

    model_config = ConfigDict(json_schema_extra={"examples": [FILE_EXAMPLE]})


class RelationBody(Body):
    type: Annotated[Text, Field(max_length=20, description="interprets corrects replaces，或相应的 _by")]
    target: Annotated[str, Field(pattern=PUBLIC_ID, description="对方稿件的编号")]


class ContentBody(Body):
    """Every field of a disclosure item. Values outside the rules are accepted in a draft and named in ``problems``."""

    title: Annotated[Text, Field(max_length=_TITLE_MOST)]
    body: Annotated[Text, Field(max_length=BODY_MOST, description='正文 HTML；不允许的标签会被去除，图片写作 <img src="file:SHA256">')]
    kind: Annotated[Text, Field(max_length=20, description="信息类型代号，见 /vocabulary")]
    department: Annotated[str, Field(pattern=SLUG, description="公开主体代号")]
    column: Annotated[str, Field(pattern=SLUG, description="栏目代号")]
    formed_on: date = Field(description="形成（变更）日期")
    subtitle: Annotated[Text, Field(max_length=400)] = ""
    summary: Annotated[Text, Field(max_length=2000)] = ""
    area: Annotated[str, Field(pattern=r"^([0-9A-Za-z][0-9A-Za-z._/-]{0,63})?$", description="领域代号，可空")] = ""
    doc_no: Annotated[Text, Field(max_length=60, description="发文字号")] = ""
    issued_on: date | None = Field(None, description="成文日期")
    effective_on: date | None = None
    expires_on: date | None = None
    validity: Annotated[Text, Field(max_length=20)] = "不适用"
    disclosure_attr: Annotated[Text, Field(max_length=20)] = "主动公开"
    genre: Annotated[Text, Field(max_length=20)] = "其他"
    theme: Annotated[Text, Field(max_length=120)] = ""
    keywords: Annotated[list[Annotated[Text, Field(max_length=60)]], Field(default_factory=list, max_length=20)]
    source_kind: Annotated[Text, Field(max_length=20)] = "本单位制发"
    source: Annotated[Text, Field(max_length=200)] = ""
    source_url: Annotated[Text, Field(max_length=1000)] = ""
    author: Annotated[Text, Field(max_length=120)] = ""
    grade: Annotated[Text, Field(max_length=4, description="审核级别 A B C")] = "A"
    urgency: Annotated[Text, Field(max_length=8)] = "普通"
    audience: Annotated[Text, Field(max_length=200)] = "全社会"
    level: Annotated[Text, Field(max_length=40)] = "县级"
    channels: Annotated[list[Annotated[Text, Field(max_length=20)]], Field(max_length=10, default_factory=lambda: ["website", "feed"])]
    wording: Annotated[
        dict[Annotated[Text, Field(max_length=20)], dict[Annotated[Text, Field(max_length=20)], Annotated[Text, Field(max_length=4000)]]],
        Field(max_length=10, default_factory=dict, description="各渠道文案：wechat 的 title digest author cover，weibo 的 text cover"),
    ]
    relations: Annotated[list[RelationBody], Field(max_length=50, default_factory=list)]
    files: Annotated[list[FileUseBody], Field(max_length=200, default_factory=list)]
    details: Annotated[JsonObject, Field(default_factory=dict, description="只有某类信息才有的内容，普通 JSON")]
    change_note: Annotated[Text, Field(max_length=4000, description="更正说明：已发布的稿件再改时写给公众看")] = ""

    model_config = ConfigDict(json_schema_extra={"examples": [CONTENT_EXAMPLE]})

    def content(self) -> Content:
        """As the hub keeps it: cleaned lines and a sanitised body, the way every import is."""
        given = self.model_dump(mode="json")
        for name in _LINES:
            given[name] = clean_line(given[name])
        if len(given["title"]) > _TITLE_MOST:
            # Normalising can make a text longer (NFC writes some signs as several).
            raise Invalid((Problem("title", "too_long", f"标题有{len(given['title'])}字", f"不能超过{_TITLE_MOST}字"),))
        given["change_note"] = clean_text(given["change_note"]).strip()
        given["keywords"] = [clean_line(word) for word in given["keywords"]]
        given["body"] = clean_html(given["body"]).html
        return Content.from_json(given)


class FileUseOut(Shape):
    """A stored file; put it into ``content.files`` as it is."""

    sha256: str
    name: str
    media_type: str
    size: int = Field(description="字节")
    role: str
    alt: str
    caption: str
    width: int
    height: int
    ai_generated: bool

    model_config = ConfigDict(
        json_schema_extra={"examples": [{**FILE_EXAMPLE, "alt": "", "caption": "", "width": 0, "height": 0, "ai_generated": False}]}
    )


class RelationOut(Shape):
    type: str
    target: str


class ContentOut(Shape):
    """The content as it is stored and signed."""

    title: str
    subtitle: str
    body: str
    summary: str
    kind: str
    department: str
    column: str
    area: str
    doc_no: str
    formed_on: date
    issued_on: date | None
    effective_on: date | None
    expires_on: date | None
    validity: str
    disclosure_attr: str
    genre: str
    theme: str
    keywords: list[str]
    source_kind: str
    source: str
    source_url: str
    author: str
    grade: str
    urgency: str
    audience: str
    level: str
    channels: list[str]
    wording: dict[str, dict[str, str]]
    relations: list[RelationOut]
    files: list[FileUseOut]
    details: dict[str, Any]
    change_note: str

    model_config = ConfigDict(json_schema_extra={"examples": [CONTENT_EXAMPLE]})


class RenderedOut(Shape):
    """What one channel will send, word for word."""

    channel: str
    digest: str
    payload: dict[str, Any]


class PreviewOut(Shape):
    digest: str = Field(description="若原样保存，签字将覆盖的摘要（新稿件尚缺编号，保存后会不同）")
    problems: list[FoundProblem]
    renditions: list[RenderedOut]

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "digest": DIGEST_EXAMPLE,
                    "problems": [
                        {
                            "field": "wording.wechat.title",
                            "code": "wechat.title_too_long",
                            "message": "微信标题共 70 字，超过上限 64 字",
                            "remedy": "请另写微信标题",
                            "blocking": True,
                        }
                    ],
                    "renditions": [{"channel": "wechat", "digest": DIGEST_EXAMPLE, "payload": {"title": "适老化改造补贴开始申请"}}],
                }
            ]
        }
    )

"""Types that every shape is made of: texts without characters the database cannot hold, times, ids, problems."""

from __future__ import annotations

from datetime import UTC, datetime
from math import isfinite
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, PlainSerializer, WithJsonSchema
from pydantic_core import PydanticCustomError

from hub.intake.text import bad_characters

SHANGHAI = ZoneInfo("Asia/Shanghai")
DIGEST_EXAMPLE = "3f1c6f3a7f0f2b6d0d1e4c5b8a9f7e6d5c4b3a29181716151413121110090807"
ID_EXAMPLE = "20261120-k7m2x9qd"
SHA256 = r"^[0-9a-f]{64}$"
PUBLIC_ID = r"^[0-9A-Za-z-]{1,32}$"
SLUG = r"^[0-9A-Za-z][0-9A-Za-z._/-]{0,63}$"
LARGEST_ID = 2**63 - 1
_LARGEST_WHOLE = 2**53 - 1
_DEEPEST = 12


class Shape(BaseModel):
    """An answer. Built from the frozen values of ``hub.app``."""

    model_config = ConfigDict(from_attributes=True, frozen=True)


class Body(BaseModel):
    """What a client sends: an unknown field is a mistake, not a wish."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _plain(text: str) -> str:
    if bad := bad_characters(text):
        raise _wrong("bad_character", f"含有不能显示的字符 {'、'.join(bad[:5])}", "请删除后重新输入")
    return text


def _filled(text: str) -> str:
    if not text.strip():
        raise _wrong("required", "没有填写", "请填写")
    return text


def _json(value: Any, depth: int = 0) -> Any:
    if depth > _DEEPEST:
        raise _wrong("too_deep", f"嵌套超过 {_DEEPEST} 层", "请简化结构")
    if isinstance(value, str):
        return _plain(value)
    if isinstance(value, float) and not isfinite(value):
        raise _wrong("not_finite", "含有无穷大或非数字", "请改为普通数字或文字")
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > _LARGEST_WHOLE:
        raise _wrong("too_large", "数字过大", "请写成文字")
    if isinstance(value, list):
        for one in value:
            _json(one, depth + 1)
    if isinstance(value, dict):
        for name, one in value.items():
            _plain(name)
            _json(one, depth + 1)
    return value


def _wrong(code: str, message: str, remedy: str) -> PydanticCustomError:
    return PydanticCustomError("hub_" + code, message, {"remedy": remedy})


def _utc(value: datetime) -> str:
    return value.astimezone(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def _local(value: datetime) -> str:
    return value.astimezone(SHANGHAI).isoformat(timespec="seconds")


Text = Annotated[str, AfterValidator(_plain)]
Said = Annotated[str, AfterValidator(_plain), AfterValidator(_filled)]
"""A text that may not be blank."""
JsonObject = Annotated[dict[str, Any], AfterValidator(_json)]
Utc = Annotated[datetime, PlainSerializer(_utc, return_type=str), WithJsonSchema({"type": "string", "format": "date-time"})]
"""UTC with ``Z``: every time in an answer."""
Local = Annotated[datetime, PlainSerializer(_local, return_type=str), WithJsonSchema({"type": "string", "format": "date-time"})]
"""The same moment in Asia/Shanghai, beside the times that people plan and read by; the field ends in ``_local``."""
Sha256 = Annotated[str, Field(pattern=SHA256, examples=[DIGEST_EXAMPLE])]
When = Annotated[
    AwareDatetime,
    Field(description="带时区的时间，如北京时间 2026-11-20T09:00:00+08:00", examples=["2026-11-20T09:00:00+08:00"]),
]
Offsets = Annotated[
    dict[Annotated[str, Field(max_length=40)], Annotated[int, Field(ge=0, le=30 * 86400)]],
    Field(description="各渠道推迟的秒数；网站总是最先", examples=[{"wechat": 600, "weibo": 900}]),
]


def local(name: str) -> Any:
    """The field that shows the time ``name`` in Asia/Shanghai."""
    return Field(validation_alias=name, description="同一时刻的北京时间")


class WordOut(Shape):
    slug: str = Field(description="稳定的英文代号；人员为用户名")
    name: str

    model_config = ConfigDict(json_schema_extra={"examples": [{"slug": "minzheng", "name": "区民政局"}]})


class ProblemLine(Shape):
    """One thing to mend, by field."""

    field: str = Field(description="字段的路径，如 title、files.0.alt、wording.wechat.title")
    code: str = Field(description="稳定的代码，供程序判断")
    message: str
    remedy: str = Field(description="怎样改")


class FoundProblem(ProblemLine):
    """Found in a revision; a blocking one must be mended before it can be submitted."""

    blocking: bool


class ProblemOut(BaseModel):
    """RFC 9457 problem details."""

    type: str = Field(description="问题种类，指向接口说明中的一段")
    title: str
    status: int
    detail: str = Field(description="给人看的说明")
    code: str = Field(description="稳定的代码，供程序判断")
    instance: str = Field(description="出问题的地址")
    request_id: str = Field(description="与 X-Request-Id 头相同，日志中可查")
    errors: list[ProblemLine] = Field(description="逐项说明；没有时为空列表")

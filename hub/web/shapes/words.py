"""The vocabulary a form needs, and who the caller is."""

from __future__ import annotations

from pydantic import ConfigDict, Field

from hub.web.shapes.base import Local, Shape, Utc, WordOut, local
from hub.web.shapes.deliveries import LIMITS_EXAMPLE, LimitsOut


class ColumnOut(WordOut):
    parents: list[WordOut] = Field(description="从一级栏目到上级栏目")
    type: str


class ChannelOut(Shape):
    """One channel that an item may choose, with its limits as data."""

    name: str
    kind: str
    limits: LimitsOut


class VocabularyOut(Shape):
    departments: list[WordOut]
    columns: list[ColumnOut]
    areas: list[WordOut]
    kinds: dict[str, str]
    stages: dict[str, str]
    states: dict[str, str]
    delivery_states: dict[str, str]
    return_reasons: dict[str, str]
    roles: dict[str, str]
    disclosure_attrs: list[str]
    genres: list[str]
    validities: list[str]
    grades: list[str]
    urgencies: list[str]
    source_kinds: list[str]
    relation_types: list[str]
    wording_keys: dict[str, list[str]]
    channels: list[ChannelOut]

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "departments": [{"slug": "minzheng", "name": "区民政局"}],
                    "columns": [{"slug": "notices", "name": "通知公告", "parents": [], "type": "政策文件"}],
                    "areas": [{"slug": "elderly", "name": "养老服务"}],
                    "kinds": {"notice": "通知公告"},
                    "stages": {"first": "初审"},
                    "states": {"draft": "草稿"},
                    "delivery_states": {"planned": "待发"},
                    "return_reasons": {"facts": "事实不准确或依据不足"},
                    "roles": {"liaison": "信息员"},
                    "disclosure_attrs": ["主动公开"],
                    "genres": ["通知"],
                    "validities": ["有效"],
                    "grades": ["A"],
                    "urgencies": ["普通"],
                    "source_kinds": ["本单位制发"],
                    "relation_types": ["interprets"],
                    "wording_keys": {"weibo": ["text", "cover"]},
                    "channels": [{"name": "wechat", "kind": "wechat", "limits": LIMITS_EXAMPLE}],
                }
            ]
        }
    )


class RightOut(Shape):
    role: str
    role_label: str
    department: WordOut | None = Field(description="null：全区")
    grades: str
    on_behalf_of: WordOut | None = Field(description="代审（AB角）借来的权限属于谁")


class MeOut(Shape):
    username: str
    name: str
    department: WordOut
    is_service: bool = Field(description="系统账号：可以报送，不能审核")
    rights: list[RightOut]
    scopes: list[str] = Field(description="所用令牌的权限")
    token_label: str
    token_expires_at: Utc | None
    token_expires_at_local: Local | None = local("token_expires_at")

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "username": "chu",
                    "name": "初审员",
                    "department": {"slug": "center", "name": "区融媒体中心"},
                    "is_service": False,
                    "rights": [{"role": "first_reviewer", "role_label": "初审", "department": None, "grades": "ABC", "on_behalf_of": None}],
                    "scopes": ["read", "review"],
                    "token_label": "审核台",
                    "token_expires_at": "2027-05-20T00:00:00.000Z",
                    "token_expires_at_local": "2027-05-20T08:00:00+08:00",
                }
            ]
        }
    )

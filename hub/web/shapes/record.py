"""The record as the API shows it: what anyone needs to check it without us."""

from __future__ import annotations

from typing import Any

from pydantic import ConfigDict, Field

from hub.web.shapes.base import DIGEST_EXAMPLE, ID_EXAMPLE, Local, Shape, Utc, local

_ENTRY_EXAMPLE: dict[str, Any] = {
    "seq": 42,
    "at": "2026-11-18T02:10:00.000Z",
    "at_local": "2026-11-18T10:10:00+08:00",
    "actor": "person:chu",
    "subject": f"item:{ID_EXAMPLE}",
    "verb": "review.signed",
    "label": "审核签字",
    "details": {"stage": "first", "revision": 1, "digest": DIGEST_EXAMPLE},
    "body": '{"actor":"person:chu","at":"2026-11-18T02:10:00.000000Z","details":{…},"seq":42,"subject":"item:…","verb":"review.signed"}',
    "leaf_hash": DIGEST_EXAMPLE,
}


class EntryOut(Shape):
    """One entry. SHA-256 of the byte 0 followed by ``body`` (UTF-8) is ``leaf_hash`` (RFC 9162)."""

    seq: int
    at: Utc
    at_local: Local = local("at")
    actor: str
    subject: str
    verb: str
    label: str
    details: dict[str, Any]
    body: str = Field(description="被散列的原文（RFC 8785 规范 JSON）")
    leaf_hash: str


class EntryPage(Shape):
    entries: list[EntryOut]
    next: str | None

    model_config = ConfigDict(json_schema_extra={"examples": [{"entries": [_ENTRY_EXAMPLE], "next": None}]})


class HeadOut(Shape):
    size: int = Field(description="条数")
    root: str = Field(description="Merkle 根，十六进制")

    model_config = ConfigDict(json_schema_extra={"examples": [{"size": 1042, "root": DIGEST_EXAMPLE}]})


class CheckpointOut(Shape):
    """The last signed head (C2SP tlog-checkpoint in a signed note)."""

    note: str = Field(description="签名检查点全文")
    origin: str
    key: str = Field(description="公开的验证密钥（C2SP signed-note 格式）")

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "note": "www.example.gov.cn/record\n1042\nPxxvOn8PK20NHkxbip9…\n\n— www.example.gov.cn/record AbCd…\n",
                    "origin": "www.example.gov.cn/record",
                    "key": "www.example.gov.cn/record+1a2b3c4d+AbCd…",
                }
            ]
        }
    )


class InclusionOut(Shape):
    """Entry ``seq`` (leaf ``seq - 1``) stands in the tree of ``size`` entries: RFC 9162 §2.1.3."""

    seq: int
    size: int
    root: str
    leaf: str
    path: list[str]

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"seq": 42, "size": 1042, "root": DIGEST_EXAMPLE, "leaf": DIGEST_EXAMPLE, "path": [DIGEST_EXAMPLE]}]
        }
    )


class ConsistencyOut(Shape):
    """The tree of ``size`` entries continues the one of ``first``: RFC 9162 §2.1.4."""

    first: int
    first_root: str
    size: int
    root: str
    path: list[str]

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"first": 900, "first_root": DIGEST_EXAMPLE, "size": 1042, "root": DIGEST_EXAMPLE, "path": [DIGEST_EXAMPLE]}]
        }
    )

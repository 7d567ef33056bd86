"""Answers about files."""

from __future__ import annotations

from pydantic import ConfigDict, Field

from hub.web.shapes.base import DIGEST_EXAMPLE, Shape
from hub.web.shapes.content import FILE_EXAMPLE, FileUseOut


class FileStoredOut(Shape):
    """A file that is now kept."""

    self: str = Field(description="下载地址")
    file: FileUseOut = Field(description="原样放入稿件的 files")

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "self": f"/api/v1/files/{DIGEST_EXAMPLE}",
                    "file": {**FILE_EXAMPLE, "alt": "", "caption": "", "width": 0, "height": 0, "ai_generated": False},
                }
            ]
        }
    )

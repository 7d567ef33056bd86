"""Files: upload, and download for those who may read what uses them."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, File, Form, Response, UploadFile
from fastapi.responses import FileResponse

from hub.app import uploads
from hub.app.people import Caller
from hub.domain.verbs import Verb
from hub.web.api.parts import PREFIX, Digest, PublicId
from hub.web.deps import Ctx, Hub, may, may_act
from hub.web.documented import LOCATION, READ, REPLAYED, WRITE, errors, ok
from hub.web.idempotency import Keyed
from hub.web.shapes.base import Text
from hub.web.shapes.files import FileStoredOut

router = APIRouter(tags=["文件"], route_class=Keyed)
Reader = Annotated[Caller, Depends(may("read"))]
_BLOCK = 1 << 20
_BYTES: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "文件内容",
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
        "headers": {"Content-Disposition": {"description": "attachment 和文件名", "schema": {"type": "string"}}},
    }
}


@router.post("/files", summary="上传文件", status_code=201, responses={**ok(201, "已入库", LOCATION, REPLAYED), **errors(*WRITE)})
def upload(
    context: Ctx,
    hub: Hub,
    caller: Annotated[Caller, Depends(may_act("write", Verb.FILE_STORED))],
    response: Response,
    file: Annotated[UploadFile, File(description="附件或图片；程序、网页、带宏或加密的文件和带密级标志的文件不予接收")],
    role: Annotated[str, Form(pattern="^(attachment|picture|cover)$")] = "attachment",
    alt: Annotated[Text, Form(max_length=1000, description="图片的文字说明")] = "",
    caption: Annotated[Text, Form(max_length=1000)] = "",
    ai_generated: Annotated[bool, Form(description="图片由人工智能生成")] = False,
) -> FileStoredOut:
    """检查内容后按 SHA-256 入库。图片会重新编码并去除元数据，摘要以返回的为准。把返回的 ``file`` 原样放入稿件的 ``files``。"""
    handle, name = tempfile.mkstemp(prefix="upload-")
    path = Path(name)
    try:
        with os.fdopen(handle, "wb") as out:
            while block := file.file.read(_BLOCK):
                out.write(block)
        use = uploads.store(
            context, hub.files, caller, file.filename or "", path, role=role, alt=alt, caption=caption, ai_generated=ai_generated
        )
    finally:
        path.unlink()
    response.headers["Location"] = address = f"{PREFIX}/files/{use.sha256}"
    return FileStoredOut.model_validate({"self": address, "file": use})


@router.get("/files/{sha256}", summary="下载自己上传的文件", response_class=FileResponse, responses={**_BYTES, **errors(*READ, 404)})
def download(sha256: Digest, context: Ctx, hub: Hub, caller: Reader) -> FileResponse:
    """上传者本人，以及可以查看全部稿件的人。"""
    return _sent(uploads.own_file(context, hub.files, caller, sha256), sha256, sha256, "application/octet-stream")


@router.get(
    "/items/{public_id}/files/{sha256}",
    summary="下载稿件的文件",
    response_class=FileResponse,
    responses={**_BYTES, **errors(*READ, 404)},
)
def download_of_item(public_id: PublicId, sha256: Digest, context: Ctx, hub: Hub, caller: Reader) -> FileResponse:
    """可以查看该稿件的人。"""
    use, path = uploads.file_of_item(context, hub.files, caller, public_id, sha256)
    return _sent(path, sha256, use.name, use.media_type)


def _sent(path: Path, sha256: str, name: str, media_type: str) -> FileResponse:
    headers = {
        "ETag": f'"{sha256}"',
        # Never shown inside a page of ours, whatever it holds.
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(name, safe='')}",
        "X-File-Type": media_type,
    }
    return FileResponse(path, media_type="application/octet-stream", headers=headers)

"""Pictures: uploaded once per content, and only what the platform gave back is ever shown (wechat.md §2).

``uploadimg`` gives a new address per call and takes only JPEG and PNG under 1 MB, so an approved picture may have to be
made smaller: the conversion depends on its bytes alone. Uploading twice is harmless; the cache only saves calls.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from datetime import timedelta

from PIL import Image, UnidentifiedImageError

from channels.base import Cache, Files, Refused
from channels.http import FilePart
from channels.wechat.client import Client, Problem, gives
from channels.wechat.convert import sources

IMAGE_BYTES = 1_000_000
"""uploadimg says "<1 MB"; the smaller reading is safe."""
COVER_BYTES = 10_000_000
IMAGE_LIFE = timedelta(days=30)
COVER_LIFE = timedelta(days=180)
_UPLOADED_AS_IS = {"JPEG": ("jpg", "image/jpeg"), "PNG": ("png", "image/png")}
_COVER_AS_IS = {**_UPLOADED_AS_IS, "GIF": ("gif", "image/gif"), "BMP": ("bmp", "image/bmp")}
_WHITE = (255, 255, 255)


class Media:
    """Uploads of one account."""

    def __init__(self, client: Client, files: Files, cache: Cache, account: str) -> None:
        self._client = client
        self._files = files
        self._cache = cache
        self._prefix = f"wechat:{account}:"

    def address(self, sha256: str) -> str | Problem:
        """The platform's address of a body picture."""
        key = f"{self._prefix}image:{sha256}"
        known = self._cache.get(key)
        if known:
            return known
        file = self._read(sha256, _UPLOADED_AS_IS, IMAGE_BYTES)
        if isinstance(file, Problem):
            return file
        answer = self._client.upload("/cgi-bin/media/uploadimg", file, "上传正文图片")
        url = gives(answer, "url", "上传正文图片") if isinstance(answer, dict) else answer
        if isinstance(url, str):
            self._cache.set(key, url, IMAGE_LIFE)
        return url

    def cover(self, sha256: str, drawn: bytes | None) -> str | Problem:
        """The permanent ``media_id`` of a cover; ``drawn``: its bytes, when the payload brings them."""
        known = self._cache.get(self._cover_key(sha256))
        if known:
            return known
        file = (f"{sha256[:16]}.png", drawn, "image/png") if drawn else self._read(sha256, _COVER_AS_IS, COVER_BYTES)
        if isinstance(file, Problem):
            return file
        answer = self._client.upload("/cgi-bin/material/add_material", file, "上传封面", type="image")
        media_id = gives(answer, "media_id", "上传封面") if isinstance(answer, dict) else answer
        if isinstance(media_id, str):
            self._cache.set(self._cover_key(sha256), media_id, COVER_LIFE)
        return media_id

    def forget_cover(self, sha256: str) -> None:
        """Somebody deleted the material in the console: its id is worth nothing any more."""
        self._cache.delete(self._cover_key(sha256))

    def _cover_key(self, sha256: str) -> str:
        return f"{self._prefix}cover:{sha256}"

    def _read(self, sha256: str, as_is: Mapping[str, tuple[str, str]], most: int) -> FilePart | Problem:
        try:
            data = self._files.path(sha256).read_bytes()
        except OSError:
            return Problem(Refused(f"找不到图片文件 {sha256[:8]}…，请重新上传该图片"))
        try:
            suffix, media_type, fitted = fit(data, as_is, most)
        except (UnidentifiedImageError, Image.DecompressionBombError, OSError, ValueError) as error:
            return Problem(Refused(f"图片 {sha256[:8]}… 无法读取（{type(error).__name__}），请换用 JPG 或 PNG 图片"))
        return f"{sha256[:16]}.{suffix}", fitted, media_type


def fit(data: bytes, as_is: Mapping[str, tuple[str, str]], most: int) -> tuple[str, str, bytes]:
    """(suffix, media type, bytes) of a picture that the platform takes: unchanged where possible.

    Otherwise the first frame, as PNG when that is small enough, else as JPEG on white, made coarser and then smaller
    until it has fewer than ``most`` bytes. Same input, same output.
    """
    with Image.open(io.BytesIO(data)) as opened:
        kind = opened.format or ""
        if kind in as_is and len(data) < most:
            return (*as_is[kind], data)
        opened.load()
        image = opened.convert("RGBA" if "A" in opened.getbands() or "transparency" in opened.info else "RGB")
    png = _encoded(image, "PNG", optimize=True) if kind in ("PNG", "GIF", "BMP") else b""
    if 0 < len(png) < most:
        return "png", "image/png", png
    flat = Image.new("RGB", image.size, _WHITE)
    flat.paste(image, mask=image.getchannel("A") if image.mode == "RGBA" else None)
    for _ in range(12):
        for quality in (88, 78, 68):
            jpeg = _encoded(flat, "JPEG", quality=quality)
            if len(jpeg) < most:
                return "jpg", "image/jpeg", jpeg
        flat = flat.resize((max(1, flat.width * 4 // 5), max(1, flat.height * 4 // 5)), Image.Resampling.LANCZOS)
    raise ValueError("picture cannot be made small enough")


def _encoded(image: Image.Image, kind: str, **options: int) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def place(content: str, addresses: Mapping[str, str]) -> str | None:
    """Put the platform's addresses in the place of ``file:SHA256``; None when a picture would be left that is not its own.

    Foreign pictures vanish from an article without an error (wechat.md §3), so this is looked at before anything is sent.
    """
    for sha256, address in addresses.items():
        content = content.replace(f'src="file:{sha256}"', f'src="{address.replace("&", "&amp;")}"')
    own = set(addresses.values())
    return content if all(source in own for source in sources(content)) else None

"""Pictures are never passed on as they came: decoded, turned upright, scaled, stripped of all metadata, encoded anew.

What comes out is JPEG, PNG or GIF, the three that every channel takes (``wechat.md``, ``weibo.md``). The same bytes in give
the same bytes out (with the same Pillow).
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from PIL import Image, ImageCms, ImageOps, ImageSequence, UnidentifiedImageError

_FORMATS = {"jpg": "JPEG", "png": "PNG", "gif": "GIF", "webp": "WEBP", "bmp": "BMP"}
_MEDIA = {"JPEG": ("jpg", "image/jpeg"), "PNG": ("png", "image/png"), "GIF": ("gif", "image/gif")}


class BadPicture(ValueError):
    """Not usable as a picture; ``code``, message and ``remedy`` for the author."""

    def __init__(self, code: str, message: str, remedy: str) -> None:
        super().__init__(message)
        self.code = code
        self.remedy = remedy


@dataclass(frozen=True, slots=True)
class PictureLimits:
    """``pixels``: most before decoding (all frames of a GIF: ``frame_pixels``). ``side``: longest side after scaling.

    A long picture (一图读懂长图: more than twice as high as wide) is bound by ``side`` in its width and ``tall`` in its height,
    since scaling its height to ``side`` would make the words on it unreadable.
    """

    pixels: int = 50_000_000
    frames: int = 300
    frame_pixels: int = 200_000_000
    side: int = 2560
    tall: int = 16_000
    quality: int = 88


@dataclass(frozen=True, slots=True)
class EncodedPicture:
    data: bytes
    ext: str
    media_type: str
    width: int
    height: int


def encode_picture(stream: BinaryIO, family: str, limits: PictureLimits | None = None) -> EncodedPicture:
    """Re-encode one picture of the family the bytes showed. Raises ``BadPicture``. Leaves the stream anywhere."""
    limits = limits or PictureLimits()
    stream.seek(0)
    try:
        with Image.open(stream, formats=[_FORMATS[family]]) as image:
            _check_size(image, limits)
            if getattr(image, "is_animated", False):
                return _animation(image, family, limits)
            image.load()
            return _still(image, family, limits)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise BadPicture("bomb", "图片的尺寸过大", f"不能超过{limits.pixels // 10_000}万像素，请缩小后再上传") from error
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, EOFError, IndexError) as error:
        if isinstance(error, BadPicture):
            raise
        raise BadPicture("broken", "图片已损坏，打不开", "请重新导出后再上传") from error


def _check_size(image: Image.Image, limits: PictureLimits) -> None:
    area = image.width * image.height
    if area > limits.pixels:
        raise BadPicture("bomb", f"图片有{area // 10_000}万像素", f"不能超过{limits.pixels // 10_000}万像素，请缩小后再上传")
    frames = getattr(image, "n_frames", 1)
    if frames > limits.frames or frames * area > limits.frame_pixels:
        raise BadPicture("bomb", f"动图有{frames}帧，过大", f"不能超过{limits.frames}帧，请缩短或缩小后再上传")


def _still(image: Image.Image, family: str, limits: PictureLimits) -> EncodedPicture:
    upright = ImageOps.exif_transpose(image)
    see_through = upright.mode in ("LA", "PA", "RGBA", "La", "RGBa") or "transparency" in upright.info
    target = "JPEG" if family == "jpg" or (family == "webp" and not see_through) else "GIF" if family == "gif" else "PNG"
    bounds = _bounds(upright, limits)
    if upright.mode == "P" and target == "PNG" and not see_through and upright.width <= bounds[0] and upright.height <= bounds[1]:
        flat = upright.copy()  # A drawing in a few colours keeps its palette: the same pixels in a third of the bytes.
    else:
        flat = _standard_colours(upright, see_through and target != "JPEG")
        flat.thumbnail(bounds, Image.Resampling.LANCZOS)
    # Nothing of the original's info (EXIF, GPS, comments, thumbnails, profiles) may ride along into the new file.
    flat.info = {}
    out = io.BytesIO()
    if target == "JPEG":
        flat.save(out, "JPEG", quality=limits.quality, optimize=True, progressive=True, subsampling="4:2:0")
    elif target == "GIF":
        flat.save(out, "GIF")
    else:
        flat.save(out, "PNG", optimize=True)
    ext, media_type = _MEDIA[target]
    return EncodedPicture(out.getvalue(), ext, media_type, flat.width, flat.height)


def _standard_colours(image: Image.Image, see_through: bool) -> Image.Image:
    """RGB, RGBA or L in sRGB. The colour profile is applied before it is dropped, or photos of phones turn pale."""
    profile = image.info.get("icc_profile")
    if profile and image.mode in ("RGB", "CMYK", "L"):
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            converted = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
        except (ImageCms.PyCMSError, OSError):
            converted = None  # A profile that does not fit its picture: the plain values are the best there is.
        if converted is not None:
            return converted
    if image.mode in ("I;16", "I;16B", "I;16L", "I"):
        image = image.point(lambda value: value / 256).convert("L")
    return image.convert("RGBA" if see_through else "L" if image.mode in ("1", "L") else "RGB")


def _bounds(image: Image.Image, limits: PictureLimits) -> tuple[int, int]:
    return (limits.side, limits.tall) if image.height > 2 * image.width else (limits.side, limits.side)


def _animation(image: Image.Image, family: str, limits: PictureLimits) -> EncodedPicture:
    if family != "gif":
        raise BadPicture("animated", "这是动态图片，只有GIF动图可以使用", "请转为GIF，或只保留一帧")
    durations: list[int] = []
    frames: list[Image.Image] = []
    loop = image.info.get("loop")
    for frame in _frames(image):
        durations.append(max(int(frame.info.get("duration", 100)), 20))
        still = frame.convert("RGBA")
        still.thumbnail(_bounds(still, limits), Image.Resampling.LANCZOS)
        still.info = {}
        frames.append(still)
    out = io.BytesIO()
    more = {} if loop is None else {"loop": loop}
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:], duration=durations, disposal=2, optimize=False, **more)
    return EncodedPicture(out.getvalue(), "gif", "image/gif", frames[0].width, frames[0].height)


def _frames(image: Image.Image) -> Iterator[Image.Image]:
    yield from ImageSequence.Iterator(image)

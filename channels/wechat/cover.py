"""A plain cover for articles without a picture: the platform demands one (``thumb_media_id``, wechat.md §3).

Rectangles only, no text: no font is needed and no edge is smoothed, so one column always gives one picture. The bytes
travel inside the approved payload, hence a later version of the drawing library cannot change what was approved.
"""

from __future__ import annotations

import hashlib
import io
from functools import lru_cache

from PIL import Image, ImageDraw

SIZE = (900, 383)
"""2.35 : 1, the shape of the first article's cover."""
_GROUNDS = ((157, 32, 42), (26, 82, 118), (24, 106, 82), (108, 52, 131), (147, 81, 22), (40, 55, 71))
_CELL = 32


@lru_cache(maxsize=64)
def draw_cover(column: str) -> bytes:
    """PNG of a pattern that belongs to ``column`` (its slug). Deterministic; about 1 KB."""
    seed = hashlib.sha256(column.encode()).digest()
    ground = _GROUNDS[seed[0] % len(_GROUNDS)]
    light = _mix(ground, 0.16)
    lighter = _mix(ground, 0.30)
    palette = [*ground, *light, *lighter, 255, 255, 255]
    image = Image.new("P", SIZE, 0)
    image.putpalette(palette)
    pen = ImageDraw.Draw(image)
    columns, rows = SIZE[0] // _CELL + 1, SIZE[1] // _CELL + 1
    for row in range(rows):
        for step in range(columns):
            byte = hashlib.sha256(seed + bytes((row, step))).digest()[0]
            if byte < 64:
                left, top = step * _CELL, row * _CELL
                pen.rectangle((left, top, left + _CELL - 3, top + _CELL - 3), fill=1 + byte % 2)
    _emblem(pen)
    out = io.BytesIO()
    image.save(out, "PNG", optimize=True)
    return out.getvalue()


def _emblem(pen: ImageDraw.ImageDraw) -> None:
    """A white sheet with lines in the middle square, which is all that a small list shows of a cover."""
    middle, top = SIZE[0] // 2, 96
    pen.rectangle((middle - 78, top, middle + 78, top + 192), fill=3)
    for number, width in enumerate((108, 108, 84, 108, 60)):
        line = top + 30 + number * 30
        pen.rectangle((middle - 54, line, middle - 54 + width, line + 9), fill=0 if number == 0 else 2)


def _mix(colour: tuple[int, int, int], share: float) -> tuple[int, int, int]:
    red, green, blue = (round(part + (255 - part) * share) for part in colour)
    return red, green, blue

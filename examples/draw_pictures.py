"""The two pictures of the sample items: an infographic (一图读懂) and a library at night. Called by make_attachments.py."""

from __future__ import annotations

import io
import math
import random

from PIL import Image, ImageDraw, ImageFilter, ImageFont

_NAVY, _BLUE, _PALE, _WARM, _INK, _GREY = "#1f4e79", "#2e75b6", "#eef4fa", "#c55a11", "#222222", "#5f6b76"
_WIDTH = 1080
_TTC_SC = 2
"""Simplified Chinese within the Noto CJK collections."""


def draw_infographic(font_path: str) -> bytes:
    """PNG, 1080 wide: who can apply, how much, how. Every colour pair has a contrast of at least 4.5 : 1."""
    image = Image.new("RGB", (_WIDTH, 2130), "white")
    page = _Page(image, font_path)
    page.banner("一图读懂", "云川区困难老年人家庭适老化改造补贴办法", "2027年1月1日起施行　有效期至2031年12月31日")
    page.card("为什么出台", ["60周岁以上老年人口占比持续上升，居家跌倒等风险较为突出，", "需要把补贴对象、标准和流程明确下来。"])
    page.card("谁能申请（本区户籍）", ["● 特困人员", "● 最低生活保障家庭中年满60周岁的老年人", "● 经评估为中度以上失能的低收入家庭老年人"])
    page.amount("能补多少", "每户最高", "3000", "元", "超出部分由家庭自愿承担")
    page.card("改造什么（七类基础项目）", ["地面防滑、安全扶手、如厕洗浴、智能监护等"])
    page.steps(
        "怎么办理",
        [("申请", "向户籍所在地", "街道办事处提出"), ("评估", "10个工作日内", "完成入户评估"), ("公示", "公示7日", "无异议后改造")],
    )
    page.card("有什么新变化", ["● 低收入失能老年人纳入范围", "● 新增智能监护类项目"])
    page.foot("解读机关：区民政局养老服务科　咨询电话：025-00001303")
    out = io.BytesIO()
    image.crop((0, 0, _WIDTH, page.y)).quantize(128, dither=Image.Dither.NONE).save(out, "PNG", optimize=True)
    return out.getvalue()


class _Page:
    """Draws from the top; ``y`` is where the next block begins."""

    def __init__(self, image: Image.Image, font_path: str) -> None:
        self.draw = ImageDraw.Draw(image)
        self.font_path = font_path
        self.y = 0

    def font(self, size: int) -> ImageFont.FreeTypeFont:
        index = _TTC_SC if self.font_path.endswith(".ttc") else 0
        return ImageFont.truetype(self.font_path, size, index=index)

    def centred(self, y: int, text: str, size: int, fill: str, x: int = _WIDTH // 2, bold: int = 0) -> None:
        self.draw.text((x, y), text, font=self.font(size), fill=fill, anchor="ma", stroke_width=bold, stroke_fill=fill)

    def banner(self, small: str, title: str, note: str) -> None:
        self.draw.rectangle((0, 0, _WIDTH, 330), fill=_NAVY)
        self.draw.rounded_rectangle((430, 44, 650, 104), 30, fill="white")
        self.centred(52, small, 34, _NAVY, bold=1)
        self.centred(136, title, 48, "white", bold=1)
        self.centred(236, note, 30, "#dbe8f5")
        self.y = 370

    def head(self, title: str) -> None:
        self.draw.rounded_rectangle((60, self.y, 74, self.y + 46), 7, fill=_WARM)
        self.draw.text((94, self.y - 6), title, font=self.font(38), fill=_NAVY, stroke_width=1, stroke_fill=_NAVY)
        self.y += 66

    def card(self, title: str, lines: list[str]) -> None:
        self.head(title)
        height = 52 * len(lines) + 36
        self.draw.rounded_rectangle((60, self.y, _WIDTH - 60, self.y + height), 18, fill=_PALE)
        for index, line in enumerate(lines):
            self.draw.text((94, self.y + 18 + 52 * index), line, font=self.font(32), fill=_INK)
        self.y += height + 40

    def amount(self, title: str, before: str, number: str, unit: str, note: str) -> None:
        self.head(title)
        self.draw.rounded_rectangle((60, self.y, _WIDTH - 60, self.y + 220), 18, fill="#fdf1e7")
        self.draw.text((400, self.y + 92), before, font=self.font(38), fill=_INK, anchor="rm")
        self.draw.text((430, self.y + 92), number, font=self.font(110), fill=_WARM, anchor="lm", stroke_width=2, stroke_fill=_WARM)
        self.draw.text((430 + int(self.font(110).getlength(number)) + 24, self.y + 92), unit, font=self.font(38), fill=_INK, anchor="lm")
        self.centred(self.y + 162, note, 28, _GREY)
        self.y += 260

    def steps(self, title: str, steps: list[tuple[str, str, str]]) -> None:
        self.head(title)
        width = (_WIDTH - 120 - 2 * 54) // 3
        for index, (name, *lines) in enumerate(steps):
            left = 60 + index * (width + 54)
            middle = left + width // 2
            self.draw.rounded_rectangle((left, self.y, left + width, self.y + 236), 18, fill=_PALE)
            self.draw.ellipse((middle - 40, self.y + 20, middle + 40, self.y + 100), fill=_BLUE)
            self.draw.text((middle, self.y + 60), str(index + 1), font=self.font(44), fill="white", anchor="mm")
            self.centred(self.y + 106, name, 34, _NAVY, middle, bold=1)
            for row, line in enumerate(lines):
                self.centred(self.y + 154 + 36 * row, line, 26, _INK, middle)
            if index:
                at = left - 27
                self.draw.polygon([(at - 12, self.y + 100), (at - 12, self.y + 136), (at + 14, self.y + 118)], fill=_BLUE)
        self.y += 276

    def foot(self, text: str) -> None:
        self.draw.rectangle((0, self.y, _WIDTH, self.y + 100), fill=_NAVY)
        self.centred(self.y + 30, text, 28, "white")
        self.y += 100


def draw_library() -> bytes:
    """JPEG, 1600 × 900: a lit reading room on a winter night, snow in the air. No words on it, so no font."""
    width, height = 1600, 900
    chance = random.Random(20261124)  # noqa: S311 - snowflakes, not secrets
    image = _sky(width, height)
    draw = ImageDraw.Draw(image, "RGBA")
    draw.ellipse((1290, 90, 1390, 190), fill=(250, 244, 220, 255))
    for _ in range(90):
        x, y, size = chance.randrange(width), chance.randrange(420), chance.choice((1, 1, 2))
        draw.ellipse((x, y, x + size, y + size), fill=(255, 255, 255, chance.randrange(90, 220)))
    for x in range(0, width, 90):
        top = 470 + int(40 * math.sin(x / 130.0)) - chance.randrange(90)
        draw.rectangle((x, top, x + chance.randrange(60, 100), 660), fill=(22, 30, 58, 255))
    _building(draw, chance)
    draw.rectangle((0, 690, width, height), fill=(206, 216, 232, 255))
    draw.polygon([(620, 900), (980, 900), (860, 690), (740, 690)], fill=(236, 214, 164, 255))
    glow = Image.new("RGBA", image.size, (255, 206, 120, 0))
    light = ImageDraw.Draw(glow)
    light.rectangle((300, 380, 1300, 720), fill=(255, 196, 96, 70))
    light.ellipse((420, 660, 1180, 860), fill=(255, 206, 120, 110))
    light.ellipse((1240, 40, 1440, 240), fill=(255, 248, 220, 50))
    image = Image.alpha_composite(image.convert("RGBA"), glow.filter(ImageFilter.GaussianBlur(46)))
    draw = ImageDraw.Draw(image, "RGBA")
    for x, size in ((130, 1.25), (255, 0.9), (1385, 1.0), (1500, 1.35)):
        _tree(draw, x, 730, size)
    for x, tall in ((700, 96), (742, 68), (905, 92)):
        _reader(draw, x, 800, tall)
    for _ in range(420):
        x, y, size = chance.randrange(width), chance.randrange(height), chance.choice((2, 2, 3, 4))
        draw.ellipse((x, y, x + size, y + size), fill=(255, 255, 255, chance.randrange(120, 230)))
    out = io.BytesIO()
    image.convert("RGB").save(out, "JPEG", quality=86, optimize=True)
    return out.getvalue()


def _sky(width: int, height: int) -> Image.Image:
    column = Image.new("RGB", (1, height))
    for y in range(height):
        part = min(y / 700, 1.0)
        column.putpixel((0, y), (int(12 + 44 * part), int(20 + 52 * part), int(52 + 70 * part)))
    return column.resize((width, height))


def _building(draw: ImageDraw.ImageDraw, chance: random.Random) -> None:
    """A hall with a pediment, tall windows with book shelves behind them, and steps."""
    stone, dark, lamp = (92, 78, 84, 255), (60, 50, 60, 255), (255, 214, 130, 255)
    draw.polygon([(300, 360), (1300, 360), (800, 220)], fill=dark)
    draw.polygon([(380, 346), (1220, 346), (800, 238)], fill=stone)
    draw.rectangle((280, 356, 1320, 392), fill=dark)
    draw.rectangle((320, 392, 1280, 680), fill=stone)
    books = ((150, 62, 50), (58, 92, 120), (196, 150, 70), (84, 110, 78), (120, 80, 110))
    for index in range(8):
        left = 352 + index * 114
        if index in (3, 4):
            continue
        draw.rounded_rectangle((left, 424, left + 98, 650), 40, fill=lamp, corners=(True, True, False, False))
        for shelf in (530, 585, 640):
            x = left + 6
            while x < left + 88:
                thick = chance.randrange(4, 9)
                draw.rectangle((x, shelf - chance.randrange(22, 40), x + thick, shelf), fill=chance.choice(books))
                x += thick + 1
            draw.rectangle((left, shelf, left + 98, shelf + 4), fill=(120, 84, 50, 255))
        draw.rectangle((left + 47, 424, left + 51, 650), fill=dark)
    draw.rounded_rectangle((704, 430, 896, 680), 60, fill=(255, 228, 160, 255), corners=(True, True, False, False))
    draw.rectangle((797, 440, 803, 680), fill=dark)
    for index in range(9):
        x = 336 + index * 114
        if not 690 < x < 800:
            draw.rectangle((x, 392, x + 16, 680), fill=(132, 116, 118, 255))
    for step in range(4):
        draw.rectangle(
            (620 - step * 26, 680 + step * 9, 980 + step * 26, 690 + step * 9),
            fill=(150 - step * 12, 140 - step * 12, 146 - step * 12, 255),
        )


def _tree(draw: ImageDraw.ImageDraw, x: int, y: int, size: float) -> None:
    draw.rectangle((x - 7 * size, y - 40 * size, x + 7 * size, y), fill=(58, 44, 40, 255))
    for layer in range(4):
        wide, top = (88 - layer * 18) * size, y - (36 + layer * 52) * size
        draw.polygon([(x - wide, top), (x + wide, top), (x, top - 92 * size)], fill=(26, 58 + layer * 6, 56, 255))
        draw.polygon(
            [(x - wide * 0.45, top - 48 * size), (x + wide * 0.1, top - 60 * size), (x, top - 92 * size)], fill=(226, 234, 244, 230)
        )


def _reader(draw: ImageDraw.ImageDraw, x: int, y: int, tall: int) -> None:
    """A person seen from behind, walking to the door."""
    head = tall * 0.2
    draw.ellipse((x - head / 2, y - tall, x + head / 2, y - tall + head), fill=(38, 32, 44, 255))
    draw.rounded_rectangle((x - tall * 0.17, y - tall + head, x + tall * 0.17, y - tall * 0.36), int(tall * 0.1), fill=(70, 44, 52, 255))
    for side in (-1, 1):
        draw.line((x + side * tall * 0.06, y - tall * 0.38, x + side * tall * 0.1, y), fill=(38, 32, 44, 255), width=max(4, tall // 12))

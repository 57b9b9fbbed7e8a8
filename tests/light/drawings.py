"""Drawn people for cameras under test: plainly illustrations, never photographs of anybody.

Every picture is a function of a moment ``t`` (seconds) that repeats after ``LOOP_S``, so that a
short clip can be shown for ever without a jump.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from functools import lru_cache

from PIL import Image, ImageDraw, ImageFilter, ImageFont

LOOP_S = 3.0
#: Drawn so many times larger, then made smaller: Pillow itself draws hard edges.
FINE = 2
FONT = "/usr/share/fonts/opentype/noto/NotoSansCJK-Bold.ttc"
#: Simplified Chinese in that collection.
FONT_INDEX = 2

Colour = tuple[int, int, int]
#: What draws one frame: (moment, (width, height)) -> picture.
Draw = Callable[[float, tuple[int, int]], Image.Image]

#: Wall, lower wall, accent: one calm room each.
ROOMS: tuple[tuple[Colour, Colour, Colour], ...] = (
    ((206, 214, 205), (166, 184, 170), (74, 112, 98)),
    ((214, 208, 196), (188, 172, 148), (128, 98, 70)),
    ((200, 209, 218), (158, 174, 192), (72, 96, 126)),
    ((216, 205, 203), (190, 164, 160), (132, 84, 82)),
    ((208, 206, 218), (172, 168, 194), (92, 86, 130)),
    ((203, 215, 214), (156, 186, 184), (62, 112, 116)),
)
SKINS: tuple[Colour, ...] = ((240, 205, 176), (232, 194, 162), (224, 184, 150), (246, 214, 190))
HAIRS: tuple[Colour, ...] = ((44, 38, 38), (58, 48, 44), (36, 34, 40), (72, 56, 48))
UNIFORMS: tuple[tuple[Colour, Colour], ...] = (
    ((66, 92, 138), (238, 240, 242)),
    ((58, 116, 108), (240, 240, 234)),
    ((140, 70, 76), (240, 238, 238)),
    ((92, 84, 134), (238, 238, 242)),
)


@lru_cache(maxsize=32)
def font(size: int) -> ImageFont.FreeTypeFont:
    """The bold face in ``size`` pixels."""
    return ImageFont.truetype(FONT, size, index=FONT_INDEX)


def swing(t: float, turns: int = 1, phase: float = 0.0) -> float:
    """-1..1 and back, ``turns`` whole times a loop."""
    return math.sin(2 * math.pi * (turns * t / LOOP_S + phase))


def _shade(colour: Colour, by: float) -> Colour:
    red, green, blue = (max(0, min(255, round(part * by))) for part in colour)
    return red, green, blue


class Sheet:
    """A picture with its pen, in units of 1/1000 of its width."""

    def __init__(self, picture: Image.Image) -> None:
        self.picture = picture
        self.pen = ImageDraw.Draw(picture)
        self.unit = picture.width / 1000

    def _box(self, left: float, top: float, right: float, bottom: float) -> list[float]:
        return [left * self.unit, top * self.unit, right * self.unit, bottom * self.unit]

    def box(
        self, left: float, top: float, right: float, bottom: float, fill: Colour, radius: float = 0
    ) -> None:
        box = self._box(left, top, right, bottom)
        self.pen.rounded_rectangle(box, radius * self.unit, fill)

    def oval(self, x: float, y: float, rx: float, ry: float, fill: Colour) -> None:
        self.pen.ellipse(self._box(x - rx, y - ry, x + rx, y + ry), fill)

    def half(self, x: float, y: float, rx: float, ry: float, fill: Colour) -> None:
        """The upper half of an oval."""
        self.pen.pieslice(self._box(x - rx, y - ry, x + rx, y + ry), 180, 360, fill)

    def shape(self, points: list[tuple[float, float]], fill: Colour) -> None:
        self.pen.polygon([(x * self.unit, y * self.unit) for x, y in points], fill)

    def line(self, points: list[tuple[float, float]], width: float, fill: Colour) -> None:
        scaled = [(x * self.unit, y * self.unit) for x, y in points]
        self.pen.line(scaled, fill, max(1, round(width * self.unit)), joint="curve")

    def arc(
        self, x: float, y: float, r: float, start: int, end: int, width: float, fill: Colour
    ) -> None:
        box = self._box(x - r, y - r, x + r, y + r)
        self.pen.arc(box, start, end, fill, max(1, round(width * self.unit)))

    def words(self, x: float, y: float, text: str, size: float, fill: Colour) -> None:
        """Text around its middle."""
        face = font(max(8, round(size * self.unit)))
        self.pen.text((x * self.unit, y * self.unit), text, fill, face, anchor="mm")


def _finish(sheet: Sheet, size: tuple[int, int]) -> Image.Image:
    return sheet.picture.resize(size, Image.Resampling.BOX)


def _blank(size: tuple[int, int], colour: Colour) -> Sheet:
    return Sheet(Image.new("RGB", (size[0] * FINE, size[1] * FINE), colour))


# ---- a class


@lru_cache(maxsize=80)
def _empty_classroom(name: str, seed: int, size: tuple[int, int]) -> Image.Image:
    wall, lower, accent = ROOMS[seed % len(ROOMS)]
    sheet = _blank(size, wall)
    sheet.box(0, 214, 1000, 600, lower)
    sheet.box(0, 210, 1000, 217, _shade(lower, 0.86))
    # Windows with morning light on one side, a cupboard on the other.
    left = seed % 2 == 0
    for n in range(2):
        x = (30 + n * 120) if left else (760 + n * 120)
        sheet.box(x, 34, x + 104, 186, (246, 247, 242), 6)
        sheet.box(x + 8, 42, x + 96, 178, (214, 230, 236), 3)
        sheet.box(x + 8, 120, x + 96, 178, (196, 214, 192), 3)
        sheet.box(x + 49, 42, x + 55, 178, (246, 247, 242))
    x = 828 if left else 40
    sheet.box(x, 70, x + 132, 214, _shade(accent, 1.12), 4)
    sheet.box(x + 63, 76, x + 69, 208, _shade(accent, 0.9))
    sheet.box(x, 206, x + 132, 214, _shade(accent, 0.8))
    # The class's board, and its name.
    sheet.box(306, 30, 694, 182, _shade(accent, 0.72), 8)
    sheet.box(316, 40, 684, 172, accent, 4)
    sheet.words(500, 106, name, 74, (250, 250, 244))
    return sheet.picture.filter(ImageFilter.BoxBlur(0.6 * FINE * size[0] / 1000))


def _pupil(
    sheet: Sheet,
    x: float,
    y: float,
    scale: float,
    uniform: tuple[Colour, Colour],
    look: random.Random,
    t: float,
) -> None:
    skin, hair = look.choice(SKINS), look.choice(HAIRS)
    coat, shirt = _shade(uniform[0], look.uniform(0.9, 1.1)), uniform[1]
    x += 5 * scale * swing(t, 1, look.random())
    y += 2.5 * scale * swing(t, 2, look.random())
    long_hair = look.random() < 0.5
    raised = look.random() < 0.16
    dark = _shade(coat, 0.82)
    if long_hair:
        sheet.box(x - 33 * scale, y - 8 * scale, x + 33 * scale, y + 52 * scale, hair, 20 * scale)
    if raised:
        hand = 4 * scale * swing(t, 2, look.random())
        arm = [(x + 46 * scale, y + 96 * scale), (x + (62 * scale) + hand, y - 30 * scale)]
        sheet.line(arm, 21 * scale, dark)
        sheet.oval(x + 62 * scale + hand, y - 40 * scale, 13 * scale, 15 * scale, skin)
    sheet.half(x, y + 122 * scale, 66 * scale, 84 * scale, coat)
    sheet.shape(
        [(x - 17 * scale, y + 40 * scale), (x + 17 * scale, y + 40 * scale), (x, y + 72 * scale)],
        shirt,
    )
    sheet.box(x - 10 * scale, y + 22 * scale, x + 10 * scale, y + 46 * scale, _shade(skin, 0.93))
    sheet.oval(x, y, 30 * scale, 34 * scale, skin)
    sheet.half(x, y - 3 * scale, 33 * scale, 36 * scale, hair)
    if long_hair:
        sheet.box(x - 33 * scale, y - 8 * scale, x - 24 * scale, y + 24 * scale, hair, 5 * scale)
        sheet.box(x + 24 * scale, y - 8 * scale, x + 33 * scale, y + 24 * scale, hair, 5 * scale)
    for side in (-1, 1):
        sheet.oval(x + side * 11 * scale, y + 8 * scale, 2.6 * scale, 3.4 * scale, (52, 44, 44))
    sheet.arc(x, y + 12 * scale, 9 * scale, 40, 140, 2.2 * scale, (150, 92, 84))


def classroom(name: str, seed: int) -> Draw:
    """A class behind its desks, with its name on the board behind it."""

    def draw(t: float, size: tuple[int, int]) -> Image.Image:
        sheet = Sheet(_empty_classroom(name, seed, size).copy())
        rows = ((258, 0.62, 9, 104), (330, 0.8, 8, 124), (424, 1.0, 7, 146))
        for number, (y, scale, count, step) in enumerate(rows):
            look = random.Random(seed * 31 + number)
            first = 500 - step * (count - 1) / 2
            for n in range(count):
                x = first + n * step + look.uniform(-8, 8)
                _pupil(sheet, x, y, scale, UNIFORMS[seed % len(UNIFORMS)], look, t)
            desk = y + 92 * scale
            sheet.box(0, desk, 1000, desk + 16 * scale, (202, 176, 140))
            sheet.box(0, desk + 15 * scale, 1000, desk + 96 * scale, (170, 142, 108))
            for n in range(count):
                x = first + n * step
                paper = (x - 24 * scale, desk + 2 * scale, x + 22 * scale, desk + 10 * scale)
                sheet.box(*paper, (246, 243, 234), 2)
        return _finish(sheet, size)

    return draw


# ---- one person


def _portrait(
    sheet: Sheet,
    t: float,
    *,
    coat: Colour,
    shirt: Colour,
    skin: Colour,
    hair: Colour,
    long_hair: bool,
    y: float,
    scale: float,
    glasses: bool = False,
) -> None:
    x = 500 + 7 * swing(t)
    y += 4 * swing(t, 2, 0.2)
    if long_hair:
        sheet.box(x - 98 * scale, y - 30 * scale, x + 98 * scale, y + 150 * scale, hair, 70 * scale)
    sheet.half(x, y + 392 * scale, 232 * scale, 250 * scale, coat)
    collar = [(-46, 138), (46, 138), (0, 236)]
    sheet.shape([(x + a * scale, y + b * scale) for a, b in collar], shirt)
    for side in (-1, 1):
        lapel = [(side * 46, 136), (side * 84, 168), (side * 6, 250), (0, 236)]
        sheet.shape([(x + a * scale, y + b * scale) for a, b in lapel], _shade(coat, 0.84))
    sheet.box(
        x - 32 * scale, y + 70 * scale, x + 32 * scale, y + 150 * scale, _shade(skin, 0.92), 26
    )
    sheet.oval(x, y, 86 * scale, 100 * scale, skin)
    for side in (-1, 1):
        sheet.oval(
            x + side * 86 * scale, y + 10 * scale, 13 * scale, 20 * scale, _shade(skin, 0.96)
        )
    sheet.half(x, y - 10 * scale, 93 * scale, 104 * scale, hair)
    sheet.half(x + 8 * scale, y - 6 * scale, 74 * scale, 40 * scale, skin)
    if long_hair:
        for side in (-1, 1):
            a, b = sorted((x + side * 97 * scale, x + side * 72 * scale))
            sheet.box(a, y - 30 * scale, b, y + 84 * scale, hair, 12 * scale)
    blink = 0.15 if swing(t, 1, 0.1) > 0.97 else 1.0
    for side in (-1, 1):
        eye = x + side * 33 * scale
        sheet.oval(eye, y + 22 * scale, 7.5 * scale, 10 * scale * blink, (50, 42, 44))
        sheet.oval(x + side * 52 * scale, y + 50 * scale, 15 * scale, 9 * scale, _shade(skin, 0.95))
        brow = [(eye - 14 * scale, y - 2 * scale), (eye + 14 * scale, y - 4 * scale)]
        sheet.line(brow, 5 * scale, _shade(hair, 1.2))
        if glasses:
            sheet.arc(eye, y + 22 * scale, 27 * scale, 0, 360, 4 * scale, (70, 66, 70))
    if glasses:
        bridge = [(x - 7 * scale, y + 18 * scale), (x + 7 * scale, y + 18 * scale)]
        sheet.line(bridge, 4 * scale, (70, 66, 70))
    open_by = 5 + 5 * max(0.0, swing(t, 4))
    sheet.arc(x, y + 42 * scale, 27 * scale, 25, 155, open_by * scale, (158, 84, 80))


@lru_cache(maxsize=8)
def _studio(size: tuple[int, int]) -> Image.Image:
    sheet = _blank(size, (212, 219, 214))
    sheet.box(0, 440, 1000, 600, (190, 200, 193))
    # A green board with the day's subject, a shelf with books and a plant.
    sheet.box(48, 66, 356, 300, (120, 94, 66), 8)
    sheet.box(60, 78, 344, 288, (58, 92, 78), 4)
    sheet.words(202, 136, "有理数", 50, (232, 240, 232))
    sheet.words(202, 222, "(−3) × 4", 44, (214, 230, 214))
    sheet.box(700, 262, 960, 274, (150, 118, 84), 3)
    books = ((92, 120, 140), (176, 122, 92), (112, 142, 116), (190, 164, 104), (128, 108, 146))
    for n, colour in enumerate(books):
        sheet.box(716 + n * 25, 176 + (n % 3) * 12, 737 + n * 25, 262, colour, 3)
    sheet.shape([(880, 214), (940, 214), (930, 262), (890, 262)], (198, 128, 96))
    for dx, dy in ((-34, -52), (-12, -82), (14, -84), (36, -50), (0, -40)):
        sheet.oval(910 + dx, 214 + dy / 1.4, 17, 36, (88, 136, 100))
    return sheet.picture.filter(ImageFilter.GaussianBlur(2.2 * FINE * size[0] / 1000))


def teacher(t: float, size: tuple[int, int]) -> Image.Image:
    """A friendly teacher before a board."""
    sheet = Sheet(_studio(size).copy())
    _portrait(
        sheet,
        t,
        coat=(52, 78, 96),
        shirt=(244, 244, 240),
        skin=(240, 206, 178),
        hair=(44, 38, 40),
        long_hair=True,
        glasses=True,
        y=236,
        scale=1.0,
    )
    return _finish(sheet, size)


@lru_cache(maxsize=16)
def _home(seed: int, size: tuple[int, int]) -> Image.Image:
    wall = ((226, 216, 200), (208, 218, 222), (222, 212, 216))[seed % 3]
    sheet = _blank(size, wall)
    sheet.box(60, 50, 340, 290, (250, 248, 242), 8)
    sheet.box(72, 62, 328, 278, (206, 224, 232), 4)
    sheet.box(72, 226, 328, 278, (168, 198, 168), 3)
    sheet.half(132, 236, 58, 34, (168, 198, 168))
    sheet.half(262, 236, 64, 48, (152, 186, 156))
    sheet.box(52, 278, 348, 302, (250, 248, 242), 4)
    sheet.box(194, 62, 204, 278, (250, 248, 242))
    sheet.box(720, 120, 950, 250, (186, 154, 118), 6)
    for n, colour in enumerate(((178, 110, 96), (108, 138, 150), (148, 158, 108), (198, 168, 110))):
        sheet.box(738 + n * 48, 140 + (n % 2) * 14, 776 + n * 48, 240, colour, 3)
    return sheet.picture.filter(ImageFilter.GaussianBlur(2.2 * FINE * size[0] / 1000))


def learner(seed: int) -> Draw:
    """A child at a desk at home."""

    def draw(t: float, size: tuple[int, int]) -> Image.Image:
        sheet = Sheet(_home(seed, size).copy())
        _portrait(
            sheet,
            t,
            coat=((214, 152, 84), (108, 148, 132), (148, 120, 168))[seed % 3],
            shirt=(248, 246, 240),
            skin=SKINS[seed % len(SKINS)],
            hair=HAIRS[seed % len(HAIRS)],
            long_hair=seed % 2 == 1,
            y=270,
            scale=0.94,
        )
        sheet.box(0, 528, 1000, 600, (196, 164, 124))
        sheet.box(150, 506, 420, 534, (248, 246, 238), 6)
        return _finish(sheet, size)

    return draw

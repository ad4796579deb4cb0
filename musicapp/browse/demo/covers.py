"""Covers out of geometry, drawn with Pillow."""

from __future__ import annotations

import io
import math
import random

from PIL import Image, ImageDraw

SIZE_PX = 1200
_FINE = 2
"""Drawn so many times larger and shrunk: edges without steps."""

Color = tuple[int, int, int]


def night_trains() -> bytes:
    """A low moon and the lights of a train in rain."""
    image = _gradient((16, 20, 52), (92, 52, 110))
    draw = ImageDraw.Draw(image, "RGBA")
    side = SIZE_PX * _FINE
    chance = random.Random(7)  # noqa: S311 - a picture, not a secret
    for radius, alpha in ((0.30, 26), (0.25, 40), (0.20, 255)):
        _disc(draw, (0.68 * side, 0.3 * side), radius * side, (250, 226, 190, alpha))
    for row in range(7):
        y = (0.60 + row * 0.055) * side
        x = -chance.random() * 0.2 * side
        while x < side:
            length = chance.uniform(0.03, 0.16) * side
            glow = chance.choice([(255, 190, 92), (255, 138, 96), (122, 196, 255)])
            draw.rounded_rectangle((x, y, x + length, y + 0.018 * side), 0.009 * side, (*glow, 90 + 22 * row))
            x += length + chance.uniform(0.02, 0.09) * side
    return _png(image)


def paper_boats() -> bytes:
    """Layers of warm water and three small boats."""
    image = _gradient((255, 231, 196), (247, 164, 126))
    draw = ImageDraw.Draw(image, "RGBA")
    side = SIZE_PX * _FINE
    _disc(draw, (0.3 * side, 0.3 * side), 0.13 * side, (255, 250, 240, 235))
    layers = ((0.52, (238, 108, 94)), (0.64, (196, 74, 96)), (0.76, (122, 52, 98)), (0.88, (62, 36, 84)))
    for index, (level, color) in enumerate(layers):
        wave = [(x, _surface(x / side, index, level) * side) for x in range(0, side + 8, 8)]
        draw.polygon([*wave, (side, side), (0, side)], fill=(*color, 255))
        if index < 3:
            x = (0.22 + 0.28 * index) * side
            _boat(draw, x, _surface(x / side, index, level) * side, (0.07 + 0.02 * index) * side)
    return _png(image)


def portrait() -> bytes:
    """Rings, for the artist."""
    image = _gradient((18, 56, 66), (24, 128, 120))
    draw = ImageDraw.Draw(image, "RGBA")
    side = SIZE_PX * _FINE
    for ring in range(14, 0, -1):
        shade = int(255 * ring / 14)
        _disc(
            draw,
            (0.5 * side, (0.5 + 0.012 * ring) * side),
            0.032 * ring * side,
            (255 - shade // 3, 220 - shade // 4, 150, 60),
        )
    return _png(image)


def _surface(x: float, index: int, level: float) -> float:
    return level + 0.022 * math.sin(2 * math.pi * (1.2 + 0.4 * index) * x + 1.7 * index)


def _boat(draw: ImageDraw.ImageDraw, x: float, y: float, width: float) -> None:
    hull = [(x - width / 2, y - width * 0.16), (x + width / 2, y - width * 0.16), (x + width * 0.3, y + width * 0.1)]
    draw.polygon([*hull, (x - width * 0.3, y + width * 0.1)], fill=(255, 248, 238, 255))
    draw.polygon(
        [(x, y - width * 0.7), (x + width * 0.28, y - width * 0.18), (x, y - width * 0.18)], fill=(255, 236, 220, 255)
    )
    draw.polygon(
        [(x, y - width * 0.7), (x - width * 0.22, y - width * 0.18), (x, y - width * 0.18)], fill=(238, 214, 196, 255)
    )


def _disc(
    draw: ImageDraw.ImageDraw, center: tuple[float, float], radius: float, fill: tuple[int, int, int, int]
) -> None:
    x, y = center
    draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=fill)


def _gradient(top: Color, bottom: Color) -> Image.Image:
    strip = Image.new("RGB", (1, 256))
    for y in range(256):
        strip.putpixel((0, y), tuple(round(a + (b - a) * y / 255) for a, b in zip(top, bottom, strict=True)))
    return strip.resize((SIZE_PX * _FINE, SIZE_PX * _FINE), Image.Resampling.BICUBIC)


def _png(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.resize((SIZE_PX, SIZE_PX), Image.Resampling.LANCZOS).save(out, "PNG")
    return out.getvalue()

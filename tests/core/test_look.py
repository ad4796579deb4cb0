"""The style sheet keeps its promises: contrast in dark and light, and no colour or size outside the tokens."""

from __future__ import annotations

import math
import re
from pathlib import Path

import pytest

STATIC = Path(__file__).resolve().parents[2] / "musicapp" / "static"
CSS = (STATIC / "css" / "app.css").read_text(encoding="utf-8")
AA, AAA, GRAPHICS = 4.5, 7.0, 3.0

Oklch = tuple[float, float, float]


def tokens() -> dict[str, tuple[Oklch, Oklch]]:
    """Colour tokens as (light, dark) pairs of lightness, chroma and hue."""
    number = r"([\d.]+)"
    colour = rf"oklch\({number} {number} {number}\)"
    found = re.findall(rf"(--[a-z0-9-]+): light-dark\({colour}, {colour}\);", CSS)
    return {name: ((float(a), float(b), float(c)), (float(d), float(e), float(f))) for name, a, b, c, d, e, f in found}


def luminance(colour: Oklch) -> float:
    """Relative luminance of WCAG 2, by way of Björn Ottosson's OKLab matrices."""
    lightness, chroma, hue = colour
    a, b = chroma * math.cos(math.radians(hue)), chroma * math.sin(math.radians(hue))
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    red = 4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short
    green = -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short
    blue = -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short
    red, green, blue = (min(1.0, max(0.0, part)) for part in (red, green, blue))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: Oklch, other: Oklch) -> float:
    bright, dim = sorted((luminance(one), luminance(other)), reverse=True)
    return (bright + 0.05) / (dim + 0.05)


def test_contrast_is_computed_as_wcag_does() -> None:
    assert contrast((1.0, 0.0, 0.0), (0.0, 0.0, 0.0)) == pytest.approx(21, abs=0.01)


@pytest.mark.parametrize("look", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(
    ("front", "back", "least"),
    [
        ("--text", "--surface-0", AAA),
        ("--text", "--surface-1", AAA),
        ("--text", "--surface-2", AAA),
        ("--text-quiet", "--surface-0", AAA),
        ("--text-quiet", "--surface-1", AAA),
        ("--text-quiet", "--surface-2", AA),
        ("--accent", "--surface-0", AA),
        ("--accent", "--surface-1", AA),
        ("--accent", "--accent-soft", AA),
        ("--on-accent", "--accent", AA),
        ("--on-accent", "--accent-strong", AA),
        ("--danger", "--surface-0", AA),
        ("--danger", "--danger-soft", AA),
        ("--success", "--success-soft", AA),
        ("--warning", "--warning-soft", AA),
        ("--surface-0", "--text", AAA),
        ("--edge", "--surface-0", GRAPHICS),
        ("--edge", "--surface-1", GRAPHICS),
    ],
)
def test_words_and_borders_stand_out(front: str, back: str, least: float, look: int) -> None:
    known = tokens()
    assert contrast(known[front][look], known[back][look]) >= least


@pytest.mark.parametrize("look", [0, 1], ids=["light", "dark"])
def test_words_on_every_cover_gradient_stand_out(look: int) -> None:
    """The album head takes the cover's hue, but never its lightness, and only a little of its chroma."""
    tone = r"oklch\(from[^)]*\) ([\d.]+) min\(c, ([\d.]+)\) h\)"
    rule = re.search(rf"light-dark\({tone}, {tone}\)", CSS)
    assert rule is not None
    lightness, chroma = (float(rule[1]), float(rule[2])) if look == 0 else (float(rule[3]), float(rule[4]))
    for hue in range(0, 360, 10):
        assert contrast(tokens()["--text"][look], (lightness, chroma, hue)) >= AA


def test_colours_stand_in_the_tokens_only() -> None:
    rules = CSS[CSS.index("/* ---- Ground") :]
    assert re.findall(r"#[0-9a-fA-F]{3,8}\b|\brgba?\(|\bhsla?\(", rules) == []
    plain = [found for found in re.findall(r"oklch\((?!from)[^)]*\)", rules) if "--made" not in found]
    allowed = re.findall(r"\.hue-\d \{ --made: (oklch\([^)]*\))", rules)
    assert sorted(plain) == sorted(allowed)


def test_type_sizes_come_from_the_scale() -> None:
    rules = CSS[CSS.index("/* ---- Ground") :]
    sizes = set(re.findall(r"font-size: ([^;}]+?)\s*[;}]", rules))
    free = {size for size in sizes if "var(--type-" not in size}
    assert free == {"100%", "0.9em", "44cqw"}


def test_templates_have_no_inline_styles_or_scripts() -> None:
    """The Content-Security-Policy would silently ignore them."""
    pages = [path for path in (STATIC.parent).rglob("templates/**/*.html") if "notifications" not in path.parts]
    assert pages
    for path in pages:
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"\sstyle=", text), path.name
        assert not re.search(r"\son[a-z]+=", text), path.name
        assert not re.search(r"<script(?![^>]*\ssrc=)|<style", text), path.name
        assert not re.search(r"\shx-on[:=]|=[\"']js:", text), path.name

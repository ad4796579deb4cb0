"""Artwork: one picture in, several sizes out, nothing of its past kept."""

import colorsys
import contextlib
import hashlib
import io
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image, ImageCms, ImageOps

from musicapp.audio.errors import ArtworkError, disk_full_words, is_disk_full

ARTWORK_SIZES = (96, 320, 640, 1200)
MAX_PIXELS = 40_000_000
MAX_SOURCE_BYTES = 25_000_000

# Pillow reads far more, some of it by running other programs (EPS).
_FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "AVIF")
_OUTPUTS: tuple[tuple[str, str, str, dict[str, Any]], ...] = (
    ("WEBP", ".webp", "image/webp", {"quality": 82, "method": 4}),
    ("JPEG", ".jpg", "image/jpeg", {"quality": 85, "optimize": True, "progressive": True}),
)
# EXIF tag, and its values that mean a quarter turn.
_ORIENTATION = 0x0112
_ORIENTATIONS_ON_A_SIDE = {5, 6, 7, 8}
_COLOR_SAMPLE_PIXELS = 64
_COLORS = 12


@dataclass(frozen=True, slots=True)
class ArtworkImage:
    """One size in one format."""

    size: int
    """The nominal size: neither side is longer."""
    path: Path
    mime: str
    width: int
    height: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class ArtworkFiles:
    """All sizes of a picture. `width` and `height` are the source's, upright."""

    images: tuple[ArtworkImage, ...]
    width: int
    height: int
    color: str
    """Leading colour, #rrggbb."""
    sha256: str
    """Of the source's bytes, in hex."""


def make_artwork(source: Path | bytes, out_dir: Path, sizes: Sequence[int] = ARTWORK_SIZES) -> ArtworkFiles:
    """Write `<size>.webp` and `<size>.jpg` for each size into `out_dir`.

    The whole picture is kept: its longer side becomes at most `size`, it is never cropped and never
    made larger than it is (then several sizes hold the same pixels). It is turned upright as its EXIF
    says, and no metadata is kept. Of an animation the first frame counts.
    Raises ArtworkError ("too_big", "not_a_picture", "too_many_pixels", "damaged", "disk_full"); then
    nothing is left in `out_dir`.
    """
    content = _read(source)
    picture, (width, height) = _decode(content, max(sizes))
    written: list[Path] = []
    try:
        images = tuple(_write_all(picture, out_dir, sorted(sizes, reverse=True), written))
    except BaseException as error:
        for path in written:
            path.unlink(missing_ok=True)
        if isinstance(error, OSError) and is_disk_full(error):
            raise ArtworkError("disk_full", disk_full_words()) from error
        raise
    return ArtworkFiles(
        images=images,
        width=width,
        height=height,
        color=_leading_color(picture),
        sha256=hashlib.sha256(content).hexdigest(),
    )


def _read(source: Path | bytes) -> bytes:
    size_bytes = len(source) if isinstance(source, bytes) else source.stat().st_size
    if size_bytes > MAX_SOURCE_BYTES:
        raise ArtworkError(
            "too_big", f"The picture is larger than {MAX_SOURCE_BYTES // 1_000_000} MB. Save it smaller."
        )
    return source if isinstance(source, bytes) else source.read_bytes()


def _decode(content: bytes, longest_side: int) -> tuple[Image.Image, tuple[int, int]]:
    """Return the upright picture in sRGB without alpha, and its size before any shrinking."""
    try:
        with warnings.catch_warnings():
            # The check below is stricter, and refuses instead of warning.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            image = Image.open(io.BytesIO(content), formats=_FORMATS)
    except Image.DecompressionBombError as error:
        raise _too_many_pixels() from error
    except Exception as error:  # Pillow's readers raise whatever a broken header makes them
        raise ArtworkError(
            "not_a_picture", "This is not a picture that can be used. Choose a JPEG, PNG, WebP, GIF or AVIF."
        ) from error
    with image:
        width, height = image.size
        if width * height > MAX_PIXELS:
            raise _too_many_pixels()
        try:
            image.draft("RGB", (longest_side * 2, longest_side * 2))  # JPEG only: decodes less
            image.load()
            upright = ImageOps.exif_transpose(image)
            if image.getexif().get(_ORIENTATION, 1) in _ORIENTATIONS_ON_A_SIDE:
                width, height = height, width
            return _to_rgb(upright), (width, height)
        except Exception as error:
            raise ArtworkError(
                "damaged", "The picture is damaged or was cut off. Save it again and upload the new file."
            ) from error


def _too_many_pixels() -> ArtworkError:
    return ArtworkError(
        "too_many_pixels",
        f"The picture has more than {MAX_PIXELS // 1_000_000} million pixels. Make it smaller; "
        f"{ARTWORK_SIZES[-1]} by {ARTWORK_SIZES[-1]} is enough.",
    )


def _to_rgb(image: Image.Image) -> Image.Image:
    profile = image.info.get("icc_profile")
    if profile and image.mode in {"RGB", "CMYK", "L"}:
        # Without this, wide-gamut covers turn dull. A profile that is broken is ignored.
        with contextlib.suppress(ImageCms.PyCMSError, OSError, ValueError):
            converted = ImageCms.profileToProfile(
                image,
                ImageCms.ImageCmsProfile(io.BytesIO(profile)),
                ImageCms.createProfile("sRGB"),
                outputMode="RGB",
            )
            image = converted or image
    if image.mode.startswith("I"):  # 16 bit; a plain conversion would clip, not scale
        image = image.convert("I").point(lambda value: value / 256).convert("L")
    if image.mode in {"RGBA", "LA", "PA"} or "transparency" in image.info:
        rgba = image.convert("RGBA")
        image = Image.new("RGB", rgba.size, "white")
        image.paste(rgba, mask=rgba.getchannel("A"))
    image = image.convert("RGB")
    image.info.clear()
    return image


def _write_all(
    picture: Image.Image, out_dir: Path, sizes: Sequence[int], written: list[Path]
) -> Iterator[ArtworkImage]:
    for size in sizes:
        # Each from the whole: shrinking what was shrunk blurs.
        scaled = picture
        if max(picture.size) > size:
            scaled = ImageOps.contain(picture, (size, size), Image.Resampling.LANCZOS)
        for image_format, suffix, mime, options in _OUTPUTS:
            path = out_dir / f"{size}{suffix}"
            written.append(path)
            scaled.save(path, image_format, **options)
            yield ArtworkImage(size, path, mime, *scaled.size, path.stat().st_size)


def _leading_color(picture: Image.Image) -> str:
    """Return the colour that is both frequent and colourful; of a grey picture its commonest grey."""
    small = picture.resize((_COLOR_SAMPLE_PIXELS, _COLOR_SAMPLE_PIXELS), Image.Resampling.BOX)
    quantized = small.quantize(_COLORS, Image.Quantize.MEDIANCUT)
    palette = quantized.getpalette() or [0, 0, 0]

    def weight(entry: tuple[int, int]) -> float:
        count, index = entry
        red, green, blue = palette[3 * index : 3 * index + 3]
        _, saturation, value = colorsys.rgb_to_hsv(red / 255, green / 255, blue / 255)
        return count * (0.05 + saturation * value)

    counts = [(count, index) for count, index in quantized.getcolors() or [] if isinstance(index, int)]
    _, index = max(counts, key=weight, default=(0, 0))
    red, green, blue = palette[3 * index : 3 * index + 3]
    return f"#{red:02x}{green:02x}{blue:02x}"

import io
from pathlib import Path

import pytest
from PIL import Image

from musicapp.audio.artwork import make_artwork
from musicapp.audio.errors import ArtworkError


def picture_bytes(image_format: str = "PNG", size: tuple[int, int] = (800, 500), **options: object) -> bytes:
    image = Image.new("RGB", size, "#dddddd")
    image.paste((200, 30, 40), (0, 0, size[0] // 3, size[1]))
    out = io.BytesIO()
    image.save(out, image_format, **options)
    return out.getvalue()


@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "WEBP", "GIF", "AVIF"])
def test_every_size_is_made_whole_and_never_larger(tmp_path: Path, image_format: str) -> None:
    artwork = make_artwork(picture_bytes(image_format), tmp_path)
    assert (artwork.width, artwork.height) == (800, 500)
    sides = {image.size: (image.width, image.height) for image in artwork.images}
    assert sides == {1200: (800, 500), 640: (640, 400), 320: (320, 200), 96: (96, 60)}
    assert len(artwork.images) == 8
    assert {path.name for path in tmp_path.iterdir()} == {image.path.name for image in artwork.images}
    for image in artwork.images:
        with Image.open(image.path) as opened:
            assert opened.size == (image.width, image.height)
            assert opened.get_format_mimetype() == image.mime
        assert image.path.stat().st_size == image.size_bytes


def test_leading_colour_is_the_colourful_one(tmp_path: Path) -> None:
    color = make_artwork(picture_bytes(), tmp_path).color
    red, green, blue = (int(color[at : at + 2], 16) for at in (1, 3, 5))
    assert red > 150
    assert max(green, blue) < 90


def test_picture_is_turned_upright_and_its_exif_is_gone(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turned a quarter
    exif[0x010E] = "taken at home"
    artwork = make_artwork(picture_bytes("JPEG", exif=exif), tmp_path)
    assert (artwork.width, artwork.height) == (500, 800)
    for image in artwork.images:
        assert image.height > image.width
        assert b"taken at home" not in image.path.read_bytes()
        with Image.open(image.path) as opened:
            assert not opened.getexif()


def test_file_and_bytes_give_the_same_fingerprint(tmp_path: Path) -> None:
    content = picture_bytes()
    source = tmp_path / "cover.png"
    source.write_bytes(content)
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    assert make_artwork(source, tmp_path / "a").sha256 == make_artwork(content, tmp_path / "b", sizes=(96,)).sha256


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "CMYK", "I;16"])
def test_unusual_colour_modes_work(tmp_path: Path, mode: str) -> None:
    out = io.BytesIO()
    Image.new(mode, (50, 50)).save(out, "JPEG" if mode == "CMYK" else "PNG")
    assert make_artwork(out.getvalue(), tmp_path, sizes=(96,)).images


def test_unusable_pictures_are_refused_and_leave_nothing(tmp_path: Path) -> None:
    bomb = io.BytesIO()
    Image.new("1", (8000, 6000)).save(bomb, "PNG")
    large_bomb = io.BytesIO()
    Image.new("1", (20000, 20000)).save(large_bomb, "PNG")
    tiff = io.BytesIO()
    Image.new("RGB", (10, 10)).save(tiff, "TIFF")
    whole = picture_bytes("JPEG", (2000, 2000))
    refused = {
        "too_many_pixels": [bomb.getvalue(), large_bomb.getvalue()],
        "not_a_picture": [b"", b"not a picture", tiff.getvalue(), whole[:15], b"%!PS-Adobe-3.0 EPSF-3.0\n"],
        "damaged": [whole[: len(whole) // 2], picture_bytes()[:-60]],
        "too_big": [bytes(26_000_000)],
    }
    for reason, contents in refused.items():
        for content in contents:
            with pytest.raises(ArtworkError) as error:
                make_artwork(content, tmp_path)
            assert error.value.reason == reason
            assert str(error.value).endswith(".")
    assert not list(tmp_path.iterdir())

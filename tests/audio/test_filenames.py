import pytest

from musicapp.audio.filenames import title_from_filename, track_number_from_filename


@pytest.mark.parametrize(
    ("name", "title", "number"),
    [
        ("01 - Foo_bar.mp3", "Foo bar", 1),
        ("07 Foo.flac", "Foo", 7),
        ("07. Foo.flac", "Foo", 7),
        ("07.Foo.flac", "Foo", 7),
        ("7_Foo.flac", "Foo", 7),
        ("[03] Foo.flac", "Foo", 3),
        ("1-07 Foo.flac", "Foo", 7),
        ("2-07 - Foo.flac", "Foo", 7),
        ("1979.mp3", "1979", None),
        ("99 Luftballons.mp3", "Luftballons", 99),
        ("12.5 degrees.mp3", "12.5 degrees", None),
        ("Foo.mp3", "Foo", None),
        ("C:\\music\\01 Foo.mp3", "Foo", 1),
        ("../../etc/passwd", "passwd", None),
        ("01.mp3", "01", None),
        (".mp3", "Untitled", None),
        ("", "Untitled", None),
        ("a\x00b.mp3", "ab", None),
    ],
)
def test_title_and_number_come_from_the_name(name: str, title: str, number: int | None) -> None:
    assert title_from_filename(name) == title
    assert track_number_from_filename(name) == number

import pytest

from musicapp.audio.tag_values import build_tags, clean_text, normalise_date, number_and_count


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("2021", "2021"),
        ("2021-03", "2021-03"),
        ("2021-03-04", "2021-03-04"),
        ("2021-10-30T14:43:49+02:00", "2021-10-30"),
        ("20210304", "2021-03-04"),
        ("2021/03/04", "2021-03-04"),
        ("2021-00-00", "2021"),
        ("2021-02-99", "2021-02"),
        ("Oct 3, 1995", "1995"),
        ("0000", None),
        ("soon", None),
        ("", None),
    ],
)
def test_dates_are_as_precise_as_the_tag(text: str, date: str | None) -> None:
    assert normalise_date(text) == date


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("3", (3, None)),
        ("03", (3, None)),
        ("3/12", (3, 12)),
        ("3 of 12", (3, 12)),
        ("A1", (1, None)),
        ("0/0", (None, None)),
        ("garbage", (None, None)),
        ("-1", (None, None)),
        ("99999999999999999999", (None, None)),
    ],
)
def test_track_numbers_are_understood(text: str, numbers: tuple[int | None, int | None]) -> None:
    assert number_and_count(text) == numbers


def test_text_is_one_clean_bounded_line() -> None:
    assert clean_text("  a\x00b\nc\x07\t d ") == "ab c d"
    assert clean_text("x\ud800y") == "x?y"
    assert clean_text("safe\u202etxt.exe") == "safetxt.exe"
    assert clean_text("x" * 10_000) == "x" * 500
    assert clean_text("\x00\x00 ") is None
    assert clean_text("e\u0301") == "é"


def test_values_that_make_no_sense_are_left_out() -> None:
    tags = build_tags(
        {
            "title": ["", "\0", "Real"],
            "isrc": ["us-rc1-76-07839"],
            "musicbrainz_recording_id": ["<script>"],
            "replaygain_track_gain": ["nan"],
            "replaygain_track_peak": ["1e99"],
            "genre": ["Jazz", "Jazz", *map(str, range(500))],
        }
    )
    assert tags.title == "Real"
    assert tags.isrc == "USRC17607839"
    assert tags.musicbrainz_recording_id is None
    assert tags.replaygain_track_gain_db is None
    assert tags.replaygain_track_peak is None
    assert len(tags.genres) <= 50

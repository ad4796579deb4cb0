from __future__ import annotations

import pytest

from musicapp.catalog.text import clean_line, clean_text, fold, slug, sort_name


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("  Winter \t Songs ", "Winter Songs"),
        ("null\x00byte\x1b[31m", "nullbyte[31m"),
        ("line\nbreak\r\nhere", "line break here"),
        ("turned \u202eradnelac", "turned radnelac"),
        ("夜に駆ける", "夜に駆ける"),
        ("かき氷が", "かき氷が"),
        ("हिन्दी", "हिन्दी"),
        ("👩\u200d🎤", "👩\u200d🎤"),
    ],
)
def test_lines_lose_controls_and_keep_every_script(typed: str, kept: str) -> None:
    assert clean_line(typed, 100) == kept


def test_a_character_removed_between_spaces_leaves_one_space() -> None:
    assert clean_line("a \ud800 b", 100) == "a b"
    assert clean_line("a \x00 b", 100) == "a b"


def test_limit_leaves_no_space_at_the_end() -> None:
    assert clean_line("ab cd", 3) == "ab"
    assert len(clean_line("x" * 500, 300)) == 300


def test_text_keeps_line_breaks_and_at_most_one_empty_line() -> None:
    assert clean_text("a \r\nb\n\n\n\nc\x00\n", 100) == "a\nb\n\nc"


@pytest.mark.parametrize(
    ("name", "sorted_as"),
    [
        ("The Beatles", "Beatles, The"),
        ("the the", "the, the"),
        ("A Tribe Called Quest", "Tribe Called Quest, A"),
        ("An Pierlé", "Pierlé, An"),
        ("The", "The"),
        ("Theory", "Theory"),
        ("Die Ärzte", "Die Ärzte"),
        ("あいみょん", "あいみょん"),
    ],
)
def test_shelf_sorts_without_english_articles(name: str, sorted_as: str) -> None:
    assert sort_name(name, 200) == sorted_as


def test_sort_name_fits_its_column() -> None:
    assert len(sort_name("The " + "x" * 196, 200)) == 200


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Beyoncé", "beyonce"),
        ("MOTÖRHEAD", "motorhead"),
        ("Straße", "strasse"),
        ("Sigur Rós & Bjørk", "sigur ros & bjork"),
        ("Łódź", "lodz"),
        ("が", "が"),
        ("ﬁ", "fi"),
        ("ＡＢＣ", "abc"),
        ("Άλφα", "αλφα"),
    ],
)
def test_folding_makes_spellings_one(text: str, folded: str) -> None:
    assert fold(text, 100) == folded


def test_folding_never_outgrows_its_column() -> None:
    assert len(fold("ﷺ" * 300, 400)) == 400


def test_two_spellings_of_a_genre_have_one_slug() -> None:
    assert slug("Dream  Pop") == slug("dream-pop") == "dream-pop"
    assert slug("R&B") == "r-b"
    assert slug("演歌") == "演歌"
    assert slug("!!!") == ""

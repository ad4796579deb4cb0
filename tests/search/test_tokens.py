from __future__ import annotations

import pytest

from musicapp.core.db import LARGEST_ID
from musicapp.search.places import KINDS, place_of, places_of, subject_at
from musicapp.search.tokens import facets_of_years, groups_of, other_spellings, tokens_of


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("Beyoncé", "beyonce"),
        ("  The  DARK side—of the Moon! ", "the dark side of the moon"),
        ("Don’t Stop 'Til You Get Enough", "dont stop til you get enough"),
        ("AC/DC", "ac dc"),
        ("Sigur Rós: ( )", "sigur ros"),
        ("東京Tower", "東 京 tower"),
        ("Кино — Группа крови", "кино группа крови"),
        ("رحمة", "رحمة"),
        ("สวัสดี", "ส ว ั ส ด ี"),
        ("!!!", "signs212121"),
        ("÷", "signsc3b7"),
        ("", ""),
        (" \0 ", ""),
    ],
)
def test_text_becomes_tokens(text: str, tokens: str) -> None:
    assert tokens_of(text, 500) == tokens


def test_tokens_are_cut_between_words() -> None:
    assert tokens_of("winter songs", 8) == "winter"
    assert len(tokens_of("x" * 5000, 500)) <= 500


def test_unspaced_run_is_one_group() -> None:
    assert groups_of("東京 tower 夜") == [("東", "京"), ("tower",), ("夜",)]


def test_title_is_found_by_how_it_may_be_typed() -> None:
    assert other_spellings("AC/DC") == "acdc"
    assert other_spellings("L'amour toujours") == "lamour amour"
    assert other_spellings("Low Tide") == ""


def test_decades_of_a_range_are_one_facet() -> None:
    assert facets_of_years(1998, 2011) == [
        ("year1998", False),
        ("year1999", False),
        ("year200", True),
        ("year2010", False),
        ("year2011", False),
    ]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("popularity", [0, 1, 1000, 2**31])
@pytest.mark.parametrize("subject_id", [1, 77, LARGEST_ID])
def test_place_knows_its_subject(kind: str, popularity: int, subject_id: int) -> None:
    place = place_of(kind, subject_id, popularity)
    assert subject_at(place) == (kind, subject_id)
    first, last = places_of(kind)
    assert first <= place <= last < 2**63


def test_popular_things_come_first_then_new_ones() -> None:
    places = [place_of("track", 5, 100_000), place_of("track", 9, 10), place_of("track", 8, 10), place_of("track", 7)]
    assert places == sorted(places)

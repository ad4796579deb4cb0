"""The same words find the same things on SQLite and PostgreSQL."""

from __future__ import annotations

import random
import string

import pytest
from flask import Flask
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from musicapp.core.db import db
from musicapp.search import queries
from musicapp.search.queries.spelling import is_one_edit
from musicapp.search.services import NewEntry, drop_entry, put_entries, put_entry
from tests.catalog.conftest import statements

LIBRARY = (
    ("artist", 1, "Alice Ray", "", 900, None, ("ambient",)),
    ("artist", 2, "Beyoncé", "", 5000, None, ("pop",)),
    ("artist", 3, "Кино", "", 70, None, ("рок",)),
    ("artist", 4, "椎名林檎", "Sheena Ringo", 80, None, ()),
    ("artist", 5, "فيروز", "", 60, None, ()),
    ("artist", 6, "Rays of Light", "", 1, None, ()),
    ("artist", 7, "AC/DC", "", 40, None, ()),
    ("artist", 8, "!!!", "", 3, None, ()),
    ("artist", 9, "Metallica", "", 800, None, ()),
    ("artist", 10, "Sigur Rós", "", 90, None, ()),
    ("album", 1, "Low Tide", "Alice Ray", 900, 2026, ("ambient", "dream-pop")),
    ("album", 2, "The Tide", "Somebody", 5, 1999, ("dream-pop",)),
    ("album", 3, "Lemonade", "Beyoncé", 5000, 2016, ("pop",)),
    ("album", 4, "東京事変 教育", "椎名林檎", 10, 2004, ()),
    ("album", 5, "เพลงรัก", "", 10, 2001, ()),
    ("track", 1, "Shells", "Alice Ray Low Tide", 300, 2026, ("ambient", "dream-pop")),
    ("track", 2, "Kelp", "Alice Ray Low Tide", 400, 2026, ("ambient", "dream-pop")),
    ("track", 3, "Tide", "Alice Ray Low Tide", 2, 2026, ("ambient",)),
    ("track", 4, "Tidewater", "Somebody The Tide", 9, 1999, ("dream-pop",)),
    ("track", 5, "Rising Tide", "Somebody The Tide", 9000, 1999, ("dream-pop",)),
    ("track", 6, "Don't Stop", "Somebody", 9, 1977, ()),
    ("track", 7, "Группа крови", "Кино", 50, 1988, ("рок",)),
    ("track", 8, "丸の内サディスティック", "椎名林檎", 90, 1999, ()),
    ("track", 9, "Love AND Hate", "Somebody", 90, 2012, ()),
    ("track", 10, "100% Pure_Love", "Somebody", 90, 2012, ()),
    ("playlist", 1, "Sunday tides", "bob", 3, None, ()),
    ("person", 1, "Bob Tidewell", "bob", 0, None, ()),
)  # fmt: skip


@pytest.fixture
def library(context: Flask) -> Flask:
    put_entries([NewEntry(*row) for row in LIBRARY])
    db.session.commit()
    return context


def found(text: str, **more: object) -> dict[str, list[int]]:
    """Kind -> ids of what is found, without empty kinds."""
    hits = queries.search(text, **more).hits  # type: ignore[arg-type]
    return {kind: [hit.subject_id for hit in of_kind] for kind, of_kind in hits.items() if of_kind}


def test_words_find(library: Flask) -> None:
    for text, expected in (
        ("tid", {"album": [1, 2], "track": [4, 3, 5, 2, 1], "playlist": [1], "person": [1]}),  # beginnings
        ("ray shells", {"track": [1]}),  # words across fields
        ("shells ray", {"track": [1]}),
        ("she ali low", {"track": [1]}),
        ("beyonce", {"artist": [2], "album": [3]}),  # accents
        ("BEYONCÉ lemon", {"album": [3]}),
        ("sigur ros", {"artist": [10]}),
        ("dont stop", {"track": [6]}),  # punctuation
        ("don’t   stop!", {"track": [6]}),
        ("acdc", {"artist": [7]}),
        ("ac/dc", {"artist": [7]}),
        ("!!!", {"artist": [8]}),
        ("кино", {"artist": [3], "track": [7]}),  # other scripts
        ("ГРУППА", {"track": [7]}),
        ("فيرو", {"artist": [5]}),
        ("林檎", {"artist": [4], "album": [4], "track": [8]}),
        ("檎", {"artist": [4], "album": [4], "track": [8]}),
        ("サディス", {"track": [8]}),
        ("丸 椎名", {"track": [8]}),
        ("林椎", {}),
        ("รัก", {"album": [5]}),
        ("ringo", {"artist": [4]}),
        ("and hate", {"track": [9]}),  # words that are operators elsewhere
        ("100%", {"track": [10]}),
        ("pure_love", {"track": [10]}),
        ("nothinglikethis", {}),
        ("", {}),
    ):
        assert found(text) == expected, text


def test_exact_titles_come_first_then_beginnings_then_words_then_other_fields(library: Flask) -> None:
    hits = queries.search("tide", kinds=["track"]).hits["track"]
    assert [hit.subject_id for hit in hits] == [3, 4, 5, 2, 1]  # exact, begins, in title, elsewhere by popularity
    assert [hit.tier for hit in hits] == [0, 1, 2, 3, 3]


def test_best_of_all_kinds_is_exact_before_popular(library: Flask) -> None:
    for text, kind, subject_id in (("beyonce", "artist", 2), ("low tide", "album", 1), ("kelp", "track", 2)):
        best = queries.search(text).best
        assert best is not None
        assert (best.kind, best.subject_id) == (kind, subject_id)
    assert queries.search("zzz").best is None


def test_filters_leave_what_fits(library: Flask) -> None:
    assert found("tide", kinds=["album", "track"], genre="dream-pop") == {"album": [1, 2], "track": [4, 5, 2, 1]}
    assert found("tide", year_from=1990, year_to=1999) == {"album": [2], "track": [4, 5]}
    assert found("tide", genre="ambient", year_from=2026) == {"album": [1], "track": [3, 2, 1]}
    assert found("кино", genre="рок") == {"artist": [3], "track": [7]}
    assert found("tide", genre="jazz") == {}
    assert found("tide", year_from=2030) == {}
    assert found("tide", year_from=2020, year_to=1999) == {}
    assert found("tide", kinds=["person"]) == {"person": [1]}


def test_one_typo_in_a_word_is_forgiven(library: Flask) -> None:
    for typed, kind, subject_id, meant in (
        ("shlls", "track", 1, "shells"),  # one missing
        ("sheells", "track", 1, "shells"),  # one too many
        ("shelks", "track", 1, "shells"),  # one wrong
        ("shlels", "track", 1, "shells"),  # two swapped, in the middle
        ("hsells", "track", 1, "shells"),
        ("kepl", "track", 2, "kelp"),
        ("beyonse", "artist", 2, "beyonce"),
        ("beyomc", "artist", 2, "beyonce"),  # while still typing
        ("metalica", "artist", 9, "metallica"),
        ("групба крови", "track", 7, "группа крови"),
        ("alise shelks", "track", 1, "alice shells"),
    ):
        result = queries.search(typed)
        assert result.best is not None, typed
        assert (result.best.kind, result.best.subject_id) == (kind, subject_id), typed
        assert (result.spelling, result.is_respelled) == (meant, True)
    for typed in ("alise rey shells", "xhelkz"):  # a word too short to be forgiven, two typos in one word
        result = queries.search(typed)
        assert (result.count, result.spelling) == (0, None), typed


def test_typos_are_not_looked_for_where_the_words_find_enough(library: Flask) -> None:
    assert queries.search("tide").spelling is None


def test_few_hits_come_with_another_spelling_but_stay(library: Flask) -> None:
    put_entry("track", 77, title="Metalica tribute", words="Somebody")
    result = queries.search("metalica")
    assert result.ids("track") == [77]
    assert result.ids("artist") == []
    assert (result.spelling, result.is_respelled) == ("metallica", False)


def test_one_edit_is_one_edit() -> None:
    rng = random.Random(7)
    for _ in range(300):
        word = "".join(rng.choices(string.ascii_lowercase, k=rng.randint(4, 9)))
        at = rng.randrange(len(word))
        for other in (word[:at] + word[at + 1 :], word[:at] + "é" + word[at:], word[:at] + "é" + word[at + 1 :]):
            assert is_one_edit(other, word)
        assert not is_one_edit(word, word)
        assert not is_one_edit("éé" + word, word)


def test_lists_go_on_by_key_without_gaps_and_doubles(context: Flask) -> None:
    rng = random.Random(3)
    titles = ["Winter", "Winter Song", "Song of Winter", "Elsewhere"]
    put_entries(
        [
            NewEntry("track", number, rng.choice(titles), "Winter band", popularity=rng.randrange(5000))
            for number in range(1, 120)
        ]
    )
    whole = [hit.subject_id for hit in queries.search("winter", kinds=["track"], limit=500).hits["track"]]
    assert sorted(whole) == list(range(1, 120))
    seen: list[int] = []
    key: str | None = None
    while True:
        page = queries.search("winter", kinds=["track"], limit=7, after=key)
        seen += page.ids("track")
        key = page.next_keys.get("track")
        if key is None:
            break
    assert seen == whole


def test_mended_key_shows_the_first_page(library: Flask) -> None:
    for key in ("", "x", "9-1", "1-99999999999999999999", "-", "0-5", "1-274877906944٣"):
        assert queries.search("tide", kinds=["track"], after=key).ids("track") == [3, 4, 5, 2, 1]


def test_changed_entry_is_found_by_its_new_words_only(library: Flask) -> None:
    put_entry("playlist", 1, title="Monday hills", words="bob", popularity=700)
    assert found("sunday") == {}
    assert found("monday") == {"playlist": [1]}
    drop_entry("playlist", 1)
    drop_entry("playlist", 1)
    assert found("monday") == {}


def test_search_is_one_statement(library: Flask) -> None:
    queries.search("warm")  # and the transaction has begun
    with statements() as ran:
        queries.search("tide")
    assert len(ran) == 1
    with statements() as ran:
        assert queries.search("shlls").is_respelled
    assert len(ran) == 3


NASTY = (
    *('"', "'", "' OR 1=1 --", '"tide', "tide*", "^tide", "AND", "OR NOT", "NEAR(tide, 2)", "NEAR", "title:tide"),
    *("{title words} : x", "tide + low", "(", "((tide", "\\", "\\'", "tide:*A", "a & !b | c", "<->", "%", "_", "%%%"),
    *("-tide", "\0", "ti\0de", "🎵", "tide 🎵", "\ud800", "x" * 100_000, "a " * 5_000, "ﷺ" * 50, "東" * 300),
    *("\u0301", "ß", "ǆ", "İ", "\u200b", "\ufeff", "१२३", "½", "한국어", "\u202eabc", "𝕳𝖊𝖑𝖑𝖔 wrld"),
    *("year2026", "genre", "signs", "^sh", "ls$"),
)


def test_no_text_breaks_the_search(library: Flask) -> None:
    for text in NASTY:
        queries.search(text)
        queries.search(text, genre=text[:80], year_from=-5, year_to=99_999, after=text[:30], kinds=["track"])
    assert found("tide*") == found("tide")
    assert found('"tide"') == found("tide")
    assert found("tide 🎵") == found("tide")


def test_facets_are_no_words(library: Flask) -> None:
    assert found("year2026") == {}
    assert found("genre") == {}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(max_size=40))
@example(text="🎵🎶🎷🎸🎹🎺")
def test_every_title_finds_itself(context: Flask, text: str) -> None:
    put_entry("track", 1, title=text)
    result = queries.search(text)
    assert result.ids("track") == [1] or not result.hits
    if result.hits:
        assert result.hits["track"][0].tier <= 1  # of very many words the first dozen count
    db.session.rollback()

"""The index says what is true now, and a rebuild finds nothing to change."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, func, select

from musicapp.accounts import services as accounts
from musicapp.catalog import services as catalog
from musicapp.catalog.errors import NotPublishableError
from musicapp.catalog.models import Track
from musicapp.catalog.services import NewCredit
from musicapp.core.db import db
from musicapp.jobs.models import Job
from musicapp.search import queries, services, tasks
from musicapp.search.models import SearchEntry
from tests.catalog.conftest import House, house, statements
from tests.people import register

__all__ = ["house"]


def found(text: str) -> dict[str, list[int]]:
    result = queries.search(text)
    return {} if result.is_respelled else {kind: result.ids(kind) for kind, hits in result.hits.items() if hits}


def entries() -> list[tuple[object, ...]]:
    columns = (SearchEntry.kind, SearchEntry.subject_id, SearchEntry.title, SearchEntry.words)
    rows = db.session.execute(
        select(*columns, SearchEntry.facets, SearchEntry.place).order_by(SearchEntry.kind, SearchEntry.subject_id)
    )
    return [tuple(row) for row in rows]


def rebuilt() -> list[tuple[object, ...]]:
    """The entries as a rebuild makes them, in a transaction that is taken back."""
    services.rebuild()
    made = entries()
    db.session.rollback()
    return made


@pytest.fixture
def published(house: House, context: Flask) -> House:
    """Winter, by The Auroras, with Shells and Kelp."""
    house.shells, house.kelp = house.add_track("Shells"), house.add_track("Kelp")  # type: ignore[attr-defined]
    house.publish()
    return house


def test_published_album_is_found_with_all_that_is_on_it(published: House) -> None:
    shells = published.shells  # type: ignore[attr-defined]
    assert found("winter") == {"album": [published.album], "track": [published.kelp, shells]}  # type: ignore[attr-defined]
    assert found("shells auroras") == {"track": [shells]}
    assert found("auroras")["artist"] == [published.artist]
    assert queries.search("shells", genre="dream-pop").ids("track") == [shells]


def test_draft_is_not_found(house: House, context: Flask) -> None:
    house.add_track("Shells")
    catalog.update_album(
        house.album,
        title="Winter",
        kind="album",
        release_on=None,
        genres=[],
        description="",
        credits=[NewCredit("Guest")],
    )
    assert found("winter") == found("shells") == found("guest") == {}
    assert found("auroras") == {"artist": [house.artist]}  # it has a studio


def test_what_is_unpublished_is_gone_and_comes_back(published: House) -> None:
    before = entries()
    for leave, come_back in (
        (catalog.unpublish_album, lambda album: catalog.publish_album(album, published.alice)),
        (catalog.delete_album, catalog.restore_album),
    ):
        leave(published.album)
        assert found("winter") == found("shells") == {}
        assert entries() == rebuilt()
        leave(published.album)
        come_back(published.album)
        assert entries() == before
        db.session.commit()


def test_deleted_track_is_gone_and_comes_back(published: House) -> None:
    shells = published.shells  # type: ignore[attr-defined]
    catalog.delete_track(shells)
    assert found("shells") == {}
    catalog.restore_track(shells)
    assert found("shells") == {"track": [shells]}


def test_new_words_find_and_old_ones_do_not(published: House) -> None:
    catalog.update_artist(published.artist, name="Björk's Shadow", bio="")
    assert found("auroras") == {}
    assert found("bjork winter") == {"album": [published.album], "track": [published.kelp, published.shells]}  # type: ignore[attr-defined]
    catalog.update_album(published.album, title="Summer", kind="ep", release_on=None, genres=["Fado"], description="")
    assert found("winter") == {}
    assert queries.search("summer", genre="fado").count == 3
    assert queries.search("summer", genre="dream-pop").count == 0


def test_credited_guest_is_found_as_long_as_credited(published: House) -> None:
    words: dict[str, Any] = {"title": "Winter", "kind": "album", "release_on": None, "genres": [], "description": ""}
    catalog.update_album(
        published.album,
        credits=[NewCredit("The Auroras", " & "), NewCredit("Ólafur")],
        **words,
    )
    assert found("olafur")["artist"]
    catalog.update_album(published.album, credits=[NewCredit("The Auroras")], **words)
    assert found("olafur") == {}
    assert entries() == rebuilt()


def test_people_are_found_until_they_leave(app: Flask, context: Flask) -> None:
    dora = register(app, "dora77")
    assert found("dora") == {"person": [dora]}
    accounts.update_profile(dora, display_name="Theodora Lind", bio="", time_zone="UTC", locale="en")
    assert found("lind theo") == found("dora77") == {"person": [dora]}
    assert entries() == rebuilt()
    accounts.delete_account(dora)
    assert found("lind") == found("dora77") == {}
    assert entries() == rebuilt()


def test_what_was_played_more_moves_up_with_the_next_rebuild(published: House) -> None:
    shells = published.shells  # type: ignore[attr-defined]
    assert queries.search("winter").ids("track")[0] != shells
    db.session.get_one(Track, shells).play_count = 50
    services.rebuild()
    assert queries.search("winter").ids("track")[0] == shells


def test_publishing_is_no_statement_per_track(house: House, context: Flask) -> None:
    counts = []
    for more in (1, 30):
        for number in range(more):
            house.add_track(f"Take {number} of {more}")
        with statements() as ran:
            house.publish()
        counts.append(len(ran))
        catalog.unpublish_album(house.album)
        db.session.commit()
    assert counts[1] <= counts[0] + 2  # words that the index has not met yet are one more


def test_rebuild_heals_what_was_missed(published: House) -> None:
    whole = entries()
    db.session.execute(delete(SearchEntry).where(SearchEntry.kind != "artist"))
    services.put_entry("album", 4711, title="A ghost", words="")
    services.put_entry("playlist", 1, title="Sunday", words="bob")
    batches = []
    counts = services.rebuild(after_batch=lambda: batches.append(1))
    assert [entry for entry in entries() if entry[0] != "playlist"] == whole
    assert counts["track"] == 2
    assert len(batches) >= 4
    assert found("ghost") == {}


def test_rebuild_command_says_what_is_found(app: Flask) -> None:
    register(app, "bob")
    with app.app_context():
        db.session.execute(delete(SearchEntry))
        db.session.commit()
    result = app.test_cli_runner().invoke(args=["search", "rebuild"])
    assert result.exit_code == 0, result.output
    assert "1 person" in result.output
    with app.app_context():
        assert found("bob")


def test_empty_index_of_a_site_with_people_is_filled_by_a_job(app: Flask, context: Flask) -> None:
    def waiting() -> int:
        return db.session.scalar(select(func.count()).where(Job.kind == "rebuild_search_index")) or 0

    assert tasks.fill_when_empty() is False
    register(app, "bob")
    assert tasks.fill_when_empty() is False
    db.session.execute(delete(SearchEntry))
    db.session.commit()
    assert tasks.fill_when_empty() is True
    assert tasks.fill_when_empty() is True
    assert waiting() == 1


STEPS = st.lists(
    st.tuples(
        st.sampled_from(
            ("publish", "unpublish", "delete", "restore", "rename", "credit", "drop", "bring back", "rename artist")
        ),
        st.integers(0, 3),
    ),
    max_size=8,
)
NAMES = ("Low Tide", "AC/DC Tribute", "東京の夜", "Ólafur & the Ænd")


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_whatever_happens_a_rebuild_finds_nothing_to_change(published: House, steps: list[tuple[str, int]]) -> None:
    album, artist = published.album, published.artist
    tracks = [published.shells, published.kelp]  # type: ignore[attr-defined]
    for step, number in steps:
        name = NAMES[number]
        if step == "publish":
            with suppress(NotPublishableError):
                catalog.publish_album(album, published.alice)
        elif step == "unpublish":
            catalog.unpublish_album(album)
        elif step == "delete":
            catalog.delete_album(album)
        elif step == "restore":
            catalog.restore_album(album)
        elif step in {"rename", "credit"}:
            credits = [NewCredit(name, " feat. "), NewCredit("The Auroras")] if step == "credit" else None
            catalog.update_album(
                album, title=name, kind="album", release_on=None, genres=[name], description="", credits=credits
            )
        elif step == "rename artist":
            catalog.update_artist(artist, name=name, bio="")
        elif step == "drop":
            catalog.delete_track(tracks[number % 2])
        elif step == "bring back":
            catalog.restore_track(tracks[number % 2])
    assert entries() == rebuilt()

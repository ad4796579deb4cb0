"""Two tabs, or two members, who change the same thing at the same moment."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import func, select

from musicapp.catalog import queries, services
from musicapp.catalog.errors import MembershipError
from musicapp.catalog.models import Album, ArtistMember
from musicapp.core.db import db
from tests.catalog.conftest import House

REACHES_THE_LOCK_SECONDS = 0.5


def at_once(house: House, first: Callable[[], object], second: Callable[[], object]) -> None:
    """Begins `second` in a transaction of its own while that of `first` is open. Raises what `second` raises."""

    def later() -> None:
        with house.app.app_context():
            queries.may_edit_album(house.alice, house.album)  # as the door does, before anything is locked
            if db.engine.dialect.name == "sqlite":
                db.session.rollback()  # SQLite has one writer: this one begins when the first has ended
            second()
            db.session.commit()

    with ThreadPoolExecutor(1) as threads:
        with house.app.app_context():
            first()
            db.session.flush()
            other = threads.submit(later)
            with pytest.raises(TimeoutError):
                other.result(REACHES_THE_LOCK_SECONDS)
            db.session.commit()
        other.result(30)


def test_one_person_is_added_once(house: House) -> None:
    def add() -> None:
        services.add_member(house.artist, "bob")

    with pytest.raises(MembershipError, match="member already"):
        at_once(house, add, add)
    with house.app.app_context():
        count = select(func.count()).select_from(ArtistMember).where(ArtistMember.artist_id == house.artist)
        assert db.session.scalar(count) == 2


def save_album(house: House, name: str) -> None:
    services.update_album(
        house.album,
        title=name,
        kind="album",
        release_on=None,
        genres=["Dub", name],
        description="",
        credits=[services.NewCredit(name)],
    )


def test_album_saved_twice_has_the_credits_and_genres_of_the_second(house: House) -> None:
    at_once(house, lambda: save_album(house, "One"), lambda: save_album(house, "Two"))
    with house.app.app_context():
        album = db.session.get_one(Album, house.album)
        assert [credit.credited_as for credit in album.credits] == ["Two"]
        assert sorted(genre.name for genre in album.genres) == ["Dub", "Two"]


def test_track_saved_twice_has_the_credits_of_the_second(house: House) -> None:
    track = house.add_track("One")

    def save(name: str) -> None:
        services.update_track(track, title=name, credits=[services.NewCredit(name)])

    at_once(house, lambda: save("One"), lambda: save("Two"))
    with house.app.app_context():
        (row,) = queries.track_rows(house.album)
        assert (row.title, row.artists) == ("Two", "Two")


def test_tracks_moved_at_once_are_each_moved(house: House) -> None:
    one, *_others = (house.add_track(title) for title in ("One", "Two", "Three"))
    at_once(house, lambda: services.move_track(one, 1), lambda: services.move_track(one, 1))
    with house.app.app_context():
        assert [row.title for row in queries.track_rows(house.album)] == ["Two", "Three", "One"]

"""alice has a playlist, bob edits it with her, dave looks, charlie must see nothing. The music is hers, published."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field

import pytest
from flask import Flask, has_app_context
from flask.testing import FlaskClient
from sqlalchemy import insert, select

from musicapp.catalog import services as catalog
from musicapp.catalog.models import Album, ArtistMember, Artwork, Track, TrackCredit
from musicapp.catalog.text import fold, sort_name
from musicapp.core.db import db, utc_now
from musicapp.playlists import queries, services
from musicapp.playlists.models import PlaylistMember
from tests.people import register, sign_in


@dataclass
class Lists:
    """Ids of the cast and of what there is to put into playlists."""

    app: Flask
    alice: int
    bob: int
    charlie: int
    dave: int
    artist: int
    album: int
    tracks: list[int] = field(default_factory=list)
    """Nine published tracks: "Track 1" … "Track 9", each a minute longer than the one before."""
    draft_track: int = 0
    """One that only alice sees."""

    def browser(self, user_id: int) -> FlaskClient:
        return sign_in(self.app, user_id)

    def playlist(self, *numbers: int, name: str = "Evening", visibility: str = "private") -> int:
        """A playlist of alice's with these tracks (1 to 9); bob edits, dave looks. Committed."""
        # The test's own context if it has one: another one's session would wait for SQLite's lock.
        with nullcontext() if has_app_context() else self.app.app_context():
            tracks = [self.tracks[number - 1] for number in numbers]
            playlist_id = services.create_playlist(self.alice, name, "", visibility, tracks).id
            for user_id, role in ((self.bob, "editor"), (self.dave, "viewer")):
                db.session.add(PlaylistMember(playlist_id=playlist_id, user_id=user_id, role=role))
            db.session.commit()
        return playlist_id

    def titles(self, playlist_id: int, viewer_id: int | None = None) -> str:
        """The numbers of the tracks as they stand: "123"."""
        shown = queries.rows(playlist_id, viewer_id or self.alice, limit=1000)
        return "".join(row.track.title.removeprefix("Track ") if row.track else "?" for row in shown)

    def entries(self, playlist_id: int) -> list[int]:
        """Entry ids in order."""
        return [entry_id for entry_id, _ in queries.order(playlist_id)]


def add_tracks(album_id: int, artist_id: int, titles: Sequence[str], *, artist: str = "The Auroras") -> list[int]:
    """Tracks by SQL that play; returns their ids. Uncommitted."""
    made = db.session.execute(
        insert(Track).returning(Track.id, sort_by_parameter_order=True),
        [
            {
                "album_id": album_id,
                "title": title,
                "sort_title": sort_name(title, 500),
                "search_text": fold(title, 1000),
                "position": number,
                "duration_ms": 60_000 * (number + 1),
                "ready_at": utc_now(),
            }
            for number, title in enumerate(titles)
        ],
    )
    ids = list(made.scalars())
    db.session.execute(
        insert(TrackCredit), [{"track_id": id_, "artist_id": artist_id, "credited_as": artist} for id_ in ids]
    )
    return ids


def give_cover(album_id: int) -> int:
    """A picture for an album, without files; returns its id. Uncommitted."""
    key = f"artworks/{album_id}"
    artwork = Artwork(key=key, sha256="0" * 64, width=600, height=600, sizes=[64, 320], color="#336699")
    db.session.add(artwork)
    db.session.flush()
    db.session.get_one(Album, album_id).cover_id = artwork.id
    return artwork.id


@pytest.fixture
def lists(app: Flask) -> Lists:
    alice = register(app, "alice", artist_name="The Auroras")
    bob, charlie, dave = (register(app, name) for name in ("bob", "charlie", "dave"))
    with app.app_context():
        artist = db.session.scalars(select(ArtistMember.artist_id).where(ArtistMember.user_id == alice)).one()
        album = catalog.create_album(artist_id=artist, user_id=alice, title="Winter", genres=["Dream pop"])
        tracks = add_tracks(album, artist, [f"Track {number}" for number in range(1, 10)])
        catalog.publish_album(album, alice)
        draft = catalog.create_album(artist_id=artist, user_id=alice, title="Draft")
        (draft_track,) = add_tracks(draft, artist, ["Unheard"])
        db.session.commit()
    return Lists(app, alice, bob, charlie, dave, artist, album, tracks, draft_track)

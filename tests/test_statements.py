"""No page runs more than 12 statements, and none runs more of them when there is more to show.

To add a page: a line in PAGES. To add what it shows: a function in FILLERS, called with how many there shall be.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, select

from musicapp.catalog.models import Album, AlbumCredit, Artist, Artwork, Genre, Original, Track, TrackCredit
from musicapp.core.db import db, utc_now
from musicapp.core.redis import redis_client
from musicapp.library.models import AlbumLike, ArtistFollow, TrackLike
from musicapp.notifications.models import Notice
from musicapp.playback.models import Play
from musicapp.playback.play_queue import services as play_queue
from musicapp.playlists import services as playlists
from musicapp.playlists.models import Playlist, PlaylistMember
from musicapp.recommendations.models import SimilarArtist
from musicapp.search import services as search
from tests.people import register, sign_in

MOST = 12
FEW, MANY = 1, 60

# Address, and whether strangers may see it too.
PAGES: list[tuple[str, bool]] = [
    ("/", True),
    ("/albums/", True),
    ("/albums/?sort=title", True),
    ("/albums/?sort=year", True),
    ("/albums/?genre=jazz&year=2020", True),
    ("/albums/{album}", True),
    ("/artists/", True),
    ("/artists/?letter=T", True),
    ("/artists/{artist}", True),
    ("/genres/", True),
    ("/playlists/public", True),
    ("/genres/jazz", True),
    ("/years/", True),
    ("/years/2020", True),
    ("/random?seed=abc.1000", True),
    ("/tracks/{track}", True),
    ("/tracks/{track}/menu", True),
    ("/tracks/{track}/now-playing", True),
    ("/search", True),
    ("/search?q=tr", True),
    ("/search?q=the+auroras+track", True),
    ("/search?q=trakc", True),
    ("/search?q=track&kind=track&genre=jazz&year=2020s", True),
    ("/queue", True),
    ("/queue.json", False),
    ("/queue/tracks.json?ids={track}", False),
    ("/side/playlists", False),
    ("/library/state.json?tracks={track}&albums={album}&artists={artist}", False),
    ("/library", False),
    ("/library?kind=albums&sort=plays", False),
    ("/library?kind=artists", False),
    ("/library?q=a&genre=jazz&sort=artist", False),
    ("/library/history", False),
    ("/playlists/", False),
    ("/playlists/{playlist}", False),
    ("/playlists/{playlist}?sort=artist", False),
    ("/playlists/{playlist}/rows?from=0", False),
    ("/playlists/{playlist}/order.json", False),
    ("/playlists/{playlist}/changes?since=0", False),
    ("/playlists/{playlist}/people", False),
    ("/playlists/{playlist}/history", False),
    ("/playlists/{playlist}/edit", False),
    ("/playlists/choose?track_id={track}", False),
    ("/notifications", False),
    ("/settings/notifications", False),
]


@dataclass
class Shelf:
    """Ids of what the addresses name."""

    user: int
    artist: int = 0
    album: int = 0
    track: int = 0
    playlist: int = 0
    made: int = field(default=0)


def fill_catalog(shelf: Shelf, count: int) -> None:
    """An artist whose first album has `count` tracks, and who has `count` albums; `count` guests and genres."""
    if not shelf.artist:
        first = Artist(name="The Auroras", sort_name="The Auroras")
        db.session.add_all([first, Genre(name="Jazz", slug="jazz")])
        db.session.flush()
        shelf.artist = first.id
    jazz = db.session.query(Genre).filter_by(slug="jazz").one()
    for number in range(shelf.made, count):
        picture = Artwork(key=f"a/{number}", sha256="x", width=640, height=640, sizes=[320, 640], color="#204060")
        guest = Artist(name=f"Guest {number}", sort_name=f"Guest {number}", picture=picture)
        genre = Genre(name=f"Genre {number}", slug=f"genre-{number}")
        album = Album(
            artist_id=shelf.artist,
            title=f"Album {number}",
            sort_title=f"Album {number}",
            cover=picture,
            release_on=date(2020, 1, 1) + timedelta(days=number),
            published_at=utc_now(),
            genres=[jazz, genre],
        )
        db.session.add_all([album, guest])
        db.session.flush()
        for position, artist_id in enumerate((shelf.artist, guest.id)):
            db.session.add(AlbumCredit(album_id=album.id, artist_id=artist_id, credited_as="Name", position=position))
        shelf.album = shelf.album or album.id
        for album_id in {shelf.album, album.id}:
            track = Track(
                album_id=album_id, title=f"Track {number}", sort_title="", position=number, ready_at=utc_now()
            )
            db.session.add(track)
            db.session.flush()
            shelf.track = shelf.track or track.id
            db.session.add_all(
                [
                    TrackCredit(track_id=track.id, artist_id=shelf.artist, credited_as="The Auroras"),
                    TrackCredit(track_id=track.id, artist_id=guest.id, credited_as="Guest", role="producer"),
                    TrackLike(track_id=track.id, user_id=shelf.user),
                    Original(
                        track_id=track.id,
                        key=f"o/{track.id}",
                        filename="x.mp3",
                        size_bytes=1,
                        container="mp3",
                        codec="mp3",
                        mime="audio/mpeg",
                        is_browser_playable=True,
                        is_lossless=False,
                    ),
                    Play(
                        hearing_id=f"h{track.id}",
                        user_id=shelf.user,
                        listener=f"user-{shelf.user}",
                        track_id=track.id,
                        album_id=album_id,
                        started_at=utc_now(),
                        source="playlist-1" if track.id == 1 else "",
                    ),
                ]
            )
        db.session.add_all(
            [AlbumLike(album_id=album.id, user_id=shelf.user), ArtistFollow(artist_id=guest.id, user_id=shelf.user)]
        )


def fill_suggestions(shelf: Shelf, count: int) -> None:
    guests = db.session.scalars(select(Artist.id).where(Artist.name.like("Guest %")).order_by(Artist.id)).all()
    db.session.query(SimilarArtist).delete()
    db.session.add_all(
        SimilarArtist(artist_id=shelf.artist, place=place, other_id=guest, score=0.5)
        for place, guest in enumerate(guests[:count])
    )


def fill_queue(shelf: Shelf, count: int) -> None:
    ids = list(db.session.scalars(select(Track.id).order_by(Track.id).limit(count)))
    play_queue.replace(shelf.user, ids, source="search")


def fill_playlists(shelf: Shelf, count: int) -> None:
    for number in range(shelf.made, count):
        name = f"Playlist {number}"
        playlist = Playlist(owner_id=shelf.user, name=name, sort_name=name, link_token=f"token-{number}")
        db.session.add(playlist)
        db.session.flush()
        db.session.add(PlaylistMember(playlist_id=playlist.id, user_id=shelf.user, role="owner"))
        shelf.playlist = shelf.playlist or playlist.id
        playlists.add_tracks(shelf.playlist, shelf.user, [shelf.track + number])


def fill_notices(shelf: Shelf, count: int) -> None:
    """`count` notices of each kind that reads what it is about."""
    kinds = {
        "new_release": shelf.album,
        "playlist_changed": shelf.playlist,
        "invited_to_playlist": 1,
        "announcement": 1,
    }
    for number in range(shelf.made, count):
        for kind, subject_id in kinds.items():
            reason = f"{kind}/{number}"
            db.session.add(Notice(user_id=shelf.user, kind=kind, subject_id=subject_id, reason=reason))


def fill_index(_shelf: Shelf, _count: int) -> None:
    search.rebuild()


FILLERS: list[Callable[[Shelf, int], None]] = [
    fill_catalog,
    fill_suggestions,
    fill_queue,
    fill_playlists,
    fill_notices,
    fill_index,
]


@contextmanager
def statements_of(app: Flask) -> Iterator[list[str]]:
    """The SQL that the app runs inside, without what opens a transaction."""
    ran: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if not statement.startswith(("BEGIN", "PRAGMA")):
            ran.append(statement)

    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield ran
    finally:
        event.remove(engine, "before_cursor_execute", note)


def counts(app: Flask, shelf: Shelf, listener: FlaskClient, stranger: FlaskClient) -> dict[str, list[str]]:
    """Page -> its statements with nothing in the cache, which is the most it ever runs."""
    ran: dict[str, list[str]] = {}
    for pattern, is_public in PAGES:
        address = pattern.format_map(vars(shelf))
        for who, browser in (("listener", listener), *([("stranger", stranger)] if is_public else [])):
            browser.get(address)  # so that the session is known and last seen
            with app.app_context():
                for key in redis_client().scan_iter("cache/*"):
                    redis_client().delete(key)
            with statements_of(app) as statements:
                response = browser.get(address)
            assert response.status_code == 200, f"{address} is {response.status_code} for a {who}"
            ran[f"{pattern} ({who})"] = list(statements)
    return ran


def test_no_page_runs_more_than_twelve_statements_and_none_grows(app: Flask) -> None:
    user = register(app, "bob")
    shelf = Shelf(user)

    def fill(count: int) -> None:
        with app.app_context():
            for filler in FILLERS:
                filler(shelf, count)
            shelf.made = count
            db.session.commit()

    listener, stranger = sign_in(app, user), app.test_client()
    fill(FEW)
    few = counts(app, shelf, listener, stranger)
    fill(MANY)
    many = counts(app, shelf, listener, stranger)
    print(*(f"{len(few[page]):3} {len(many[page]):3}  {page}" for page in few), sep="\n")
    grown = {page: (len(few[page]), many[page]) for page in few if len(many[page]) > len(few[page])}
    assert grown == {}
    assert {page: ran for counted in (few, many) for page, ran in counted.items() if len(ran) > MOST} == {}

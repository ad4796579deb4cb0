"""What the search page shows of what was found: hits of the index become cards and rows, as far as one may see them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Select, literal, null, select, union_all

from musicapp.accounts.models import User
from musicapp.catalog import queries as catalog
from musicapp.catalog.models import Album, Artist, Artwork, Track
from musicapp.catalog.queries import AlbumCard, ArtistCard, TrackRow, kept
from musicapp.catalog.queries.albums import PUBLISHED
from musicapp.catalog.queries.pictures import PICTURE, picture_in
from musicapp.catalog.queries.tracks import rows_of_tracks, with_plays
from musicapp.core.db import db
from musicapp.library.queries import ViewerState, viewer_state
from musicapp.library.queries.state import artist_is_shown
from musicapp.playlists import queries as playlists
from musicapp.playlists.queries import Person, PlaylistCard
from musicapp.search import queries as index
from musicapp.search.queries import Found


@dataclass(frozen=True, slots=True)
class Top:
    """The one thing that was probably meant; kind is one of search.queries.KINDS."""

    kind: str
    card: ArtistCard | AlbumCard | TrackRow | PlaylistCard | Person


@dataclass(frozen=True, slots=True)
class Results:
    """Everything of a page of results. The lists are in the order of the hits."""

    artists: list[ArtistCard] = field(default_factory=list)
    albums: list[AlbumCard] = field(default_factory=list)
    tracks: list[TrackRow] = field(default_factory=list)
    playlists: list[PlaylistCard] = field(default_factory=list)
    people: list[Person] = field(default_factory=list)
    top: Top | None = None
    next_keys: Mapping[str, str] = field(default_factory=dict)
    spelling: str | None = None
    is_respelled: bool = False
    viewer_state: ViewerState = field(default_factory=ViewerState)

    @property
    def is_empty(self) -> bool:
        return not (self.artists or self.albums or self.tracks or self.playlists or self.people)


def results(found: Found, user_id: int | None) -> Results:
    """Cards and rows of the hits, in at most ten statements; what nobody may see any more is left out."""
    open_rows = _open_rows(found)
    artists = {row.id: ArtistCard(row.id, row.name, picture_in(row)) for row in open_rows["artist"]}
    albums = {card.id: card for card in catalog.cards_of_albums([row.id for row in open_rows["album"]])}
    plays = {row.id: row.play_count for row in open_rows["track"]}
    rows = kept.TRACK_ROWS.get_many(list(plays), rows_of_tracks)
    tracks = {id: with_plays(row, plays[id]) for id, row in rows.items()}
    # After a typo two statements were needed to find anything: no mosaics then.
    lists = playlists.public_cards(found.ids("playlist"), with_pictures=found.spelling is None)
    people = {row.id: Person(row.id, row.username, row.name, row.avatar_key) for row in open_rows["person"]}
    cards: dict[str, Mapping[int, Any]] = {
        "artist": artists, "album": albums, "track": tracks, "playlist": lists, "person": people
    }  # fmt: skip

    def shown(kind: str) -> list[Any]:
        return [cards[kind][id] for id in found.ids(kind) if id in cards[kind]]

    best = found.best
    top = cards[best.kind].get(best.subject_id) if best else None
    return Results(
        artists=shown("artist"),
        albums=shown("album"),
        tracks=shown("track"),
        playlists=shown("playlist"),
        people=shown("person"),
        top=Top(best.kind, top) if best and top else None,
        next_keys=found.next_keys,
        spelling=found.spelling,
        is_respelled=found.is_respelled,
        viewer_state=viewer_state(user_id, track_ids=list(tracks)),
    )


def _open_rows(found: Found) -> dict[str, list[Any]]:
    """Kind -> those of its hits that everybody may see, in one statement; artists and people with what cards need."""
    no_picture = [null().label(column.name) for column in PICTURE]
    nothing = {"name": null(), "username": null(), "avatar_key": null(), "play_count": literal(0)}

    def columns(kind: str, id: Any, **values: Any) -> list[Any]:
        named = [value.label(name) for name, value in {**nothing, **values}.items()]
        return [literal(kind).label("kind"), id.label("id"), *named]

    asked: dict[str, Callable[[list[int]], Select[*tuple[Any, ...]]]] = {
        "artist": lambda ids: (
            select(*columns("artist", Artist.id, name=Artist.name), *PICTURE)
            .outerjoin(Artwork, Artwork.id == Artist.picture_id)
            .where(Artist.id.in_(ids), artist_is_shown())
        ),
        "album": lambda ids: select(*columns("album", Album.id), *no_picture).where(Album.id.in_(ids), *PUBLISHED),
        "track": lambda ids: (
            select(*columns("track", Track.id, play_count=Track.play_count), *no_picture)
            .join(Album, Album.id == Track.album_id)
            .where(Track.id.in_(ids), Track.deleted_at.is_(None), *PUBLISHED)
        ),
        "person": lambda ids: select(
            *columns("person", User.id, name=User.display_name, username=User.username, avatar_key=User.avatar_key),
            *no_picture,
        ).where(User.id.in_(ids), User.deleted_at.is_(None), User.suspended_at.is_(None)),
    }
    # Artists always: their columns give the others' their types.
    parts = [ask(found.ids(kind)) for kind, ask in asked.items() if found.ids(kind) or kind == "artist"]
    rows: dict[str, list[Any]] = {kind: [] for kind in index.KINDS}
    if found.count:
        for row in db.session.execute(union_all(*parts)):
            rows[row.kind].append(row)
    return rows

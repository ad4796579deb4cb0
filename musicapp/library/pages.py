"""What the library's page shows, put together from its reads: nine statements, however much somebody keeps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from sqlalchemy import select

from musicapp.catalog.models import Album, Artist, Artwork
from musicapp.catalog.queries import AlbumCard, ArtistCard, TrackRow, album_cards, visible_rows
from musicapp.catalog.queries.pictures import PICTURE, picture_in
from musicapp.core.db import db
from musicapp.library import queries
from musicapp.library.queries import ViewerState, Wanted

ROWS_PER_PAGE = {"tracks": 100, "albums": 48, "artists": 60}


@dataclass(frozen=True, slots=True)
class LibraryPage:
    """One view of one library. Only the list of the kind that is shown has something in it."""

    wanted: Wanted
    counts: dict[str, int]
    genres: Sequence[tuple[str, str]]
    tracks: Sequence[TrackRow]
    albums: Sequence[AlbumCard]
    artists: Sequence[ArtistCard]
    next_key: str | None
    is_first: bool
    viewer_state: ViewerState

    @property
    def sorts(self) -> tuple[str, ...]:
        return queries.SORTS[self.wanted.kind]

    def url(self, **changes: str | None) -> str:
        """The address of this view, or of one with other choices. What is as it is by itself is left out."""
        standard = {"kind": "tracks", "sort": "added", "q": "", "genre": "", "after": None}
        chosen = {
            "kind": self.wanted.kind,
            "sort": self.wanted.sort,
            "q": self.wanted.q,
            "genre": self.wanted.genre,
            **changes,
        }
        told = {name: value for name, value in chosen.items() if value and value != standard[name]}
        return "/library" + (f"?{urlencode(told)}" if told else "")


def library_page(user_id: int, wanted: Wanted, after: str | None) -> LibraryPage:
    """The page of `wanted` that begins behind the key `after`."""
    kind = wanted.kind
    kept = queries.kept(user_id, wanted, limit=ROWS_PER_PAGE[kind], after=after)
    rows = visible_rows(kept.ids, user_id) if kind == "tracks" else {}
    albums = (
        {card.id: card for card in album_cards(select(Album).where(Album.id.in_(kept.ids)))} if kind == "albums" else {}
    )
    artists = _artist_cards(kept.ids) if kind == "artists" else {}
    ids = frozenset(kept.ids)
    return LibraryPage(
        wanted=wanted,
        counts=queries.kept_counts(user_id),
        genres=queries.genres_kept(user_id, kind),
        tracks=[rows[id] for id in kept.ids if id in rows],
        albums=[albums[id] for id in kept.ids if id in albums],
        artists=[artists[id] for id in kept.ids if id in artists],
        next_key=kept.next_key,
        is_first=after is None,
        # All of it is liked or followed: that is why it is here.
        viewer_state=ViewerState(
            liked_track_ids=ids if kind == "tracks" else frozenset(),
            liked_album_ids=ids if kind == "albums" else frozenset(),
            followed_artist_ids=ids if kind == "artists" else frozenset(),
            user_id=user_id,
        ),
    )


def _artist_cards(artist_ids: Sequence[int]) -> dict[int, ArtistCard]:
    found = (
        select(Artist.id, Artist.name, *PICTURE)
        .outerjoin(Artwork, Artwork.id == Artist.picture_id)
        .where(Artist.id.in_(artist_ids))
    )
    return {row.id: ArtistCard(row.id, row.name, picture_in(row)) for row in db.session.execute(found)}

"""The studio's announcements, and the page on which anybody reads one that has gone out."""

from __future__ import annotations

from flask import Blueprint, Response, abort, request

from musicapp.accounts.identity import current_viewer, signed_in_id
from musicapp.catalog import queries as catalog
from musicapp.core.db import row_id
from musicapp.core.pages import page
from musicapp.notifications.announcements import queries
from musicapp.notifications.announcements.doors import NUMBER, AnnouncementDoors

blueprint = Blueprint("announcements", __name__)


class StudioDoors(AnnouncementDoors):
    """For members of an artist; to others these addresses are 404."""

    base = "/studio/announcements"
    frame = "notifications/announcements/studio_layout.html"

    def artist_asked_for(self) -> int | None:
        artist_id = request.values.get("artist", type=row_id)
        artists = [artist.id for artist in catalog.artists_of_user(signed_in_id())]
        if artist_id is None and len(artists) == 1:
            return artists[0]
        if artist_id not in artists:
            abort(404)
        return artist_id

    def may_open(self, announcement_id: int) -> bool:
        return queries.is_of_artist(announcement_id) and queries.may_open(current_viewer(), announcement_id)


StudioDoors().add_to(blueprint)


@blueprint.get(f"/announcements/{NUMBER}")
def read(announcement_id: int) -> Response:
    """What the link in a notice or a mail opens."""
    told = queries.public_one(announcement_id)
    if told is None:
        abort(404)
    artist = catalog.artist_page(told.artist_id, even_unheard=True) if told.artist_id else None
    return page("notifications/announcements/read_page.html", told=told, artist=artist)

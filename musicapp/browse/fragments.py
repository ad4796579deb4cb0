"""What the home page shows anew, the same for everybody."""

from __future__ import annotations

from typing import Any

from flask import render_template

from musicapp.accounts.listening import may_listen
from musicapp.browse.queries import HOME_ALBUMS, published_card
from musicapp.catalog import queries
from musicapp.live.frames import Partial
from musicapp.live.registry import fragment, topic


@topic("home")
def may_hear_home(viewer: Any, number: int | None) -> bool:
    return number is None and may_listen(viewer)


@fragment("new_album", topic="home")
def new_album(album_id: int) -> list[Partial]:
    """A card that arrives in front of the others; the invitation of an empty page goes."""
    count = Partial("#home-count", _rendered("_home_count.html", album_count=queries.published_album_count()))
    card = published_card(album_id)
    if card is None:  # unpublished again before anybody saw it
        return [Partial.remove(f"album-card-{album_id}"), count]
    html = _rendered("_home_card.html", album=card)
    return [
        *Partial.append("home-grid", f"album-card-{album_id}", html, swap="afterbegin"),
        Partial.remove("home-empty"),
        count,
    ]


@fragment("latest_albums", topic="home")
def latest_albums(_number: int) -> Partial:
    albums, album_count = queries.album_shelf(HOME_ALBUMS).albums, queries.published_album_count()
    return Partial("#home-albums", _rendered("_home_albums.html", albums=albums, album_count=album_count))


def _rendered(template: str, **context: Any) -> str:
    return render_template(f"browse/{template}", **context)

"""What open pages show anew. The public topics are neutral; `studio-…` carries the members' buttons."""

from __future__ import annotations

from typing import Any, TypeGuard

from flask import render_template
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from musicapp.accounts.listening import may_listen
from musicapp.catalog import queries
from musicapp.core.db import LARGEST_ID
from musicapp.jobs import presenting
from musicapp.jobs import queries as job_queries
from musicapp.jobs.queries import JobView
from musicapp.live.frames import Partial
from musicapp.live.registry import fragment, topic

presenting.call(make_album_cover=_l("An album's cover"), make_artist_picture=_l("An artist's picture"))


@presenting.presents("make_album_cover")
def cover_job_in_words(job: JobView) -> presenting.Shown:
    album = queries.album_by_id(job.subject_id or 0)
    if album is None:
        return presenting.Shown(presenting.words_of(job.kind))
    title = _("The cover of “%(title)s”", title=album.title)
    return presenting.Shown(title, f"/studio/albums/{album.id}", _("Open the album"))


@presenting.presents("make_artist_picture")
def picture_job_in_words(job: JobView) -> presenting.Shown:
    artist = queries.artist_page(job.subject_id or 0, even_unheard=True)
    if artist is None:
        return presenting.Shown(presenting.words_of(job.kind))
    title = _("The picture of %(name)s", name=artist.name)
    return presenting.Shown(title, f"/studio/artists/{artist.id}", _("Open the artist"))


@topic("album")
def may_hear_album(viewer: Any, album_id: int | None) -> bool:
    return _is_id(album_id) and may_listen(viewer) and queries.may_see_album(viewer.id, album_id)


@topic("artist")
def may_hear_artist(viewer: Any, artist_id: int | None) -> bool:
    return _is_id(artist_id) and may_listen(viewer)


@topic("studio")
def may_hear_studio(viewer: Any, album_id: int | None) -> bool:
    return _is_id(album_id) and queries.may_edit_album(viewer.id, album_id)


@topic("studio_artist")
def may_hear_studio_artist(viewer: Any, artist_id: int | None) -> bool:
    return _is_id(artist_id) and queries.may_edit_artist(viewer.id, artist_id)


def _is_id(number: int | None) -> TypeGuard[int]:
    """A topic's number may have 18 digits; PostgreSQL refuses to compare an id with more than it holds."""
    return number is not None and number <= LARGEST_ID


@fragment("album_head", topic="album")
def album_head(album_id: int) -> Partial | None:
    return _of_album("catalog/_album_head.html", f"#album-head-{album_id}", album_id)


@fragment("track_list", topic="album")
def track_list(album_id: int) -> Partial | None:
    return _of_album("catalog/_tracks.html", f"#album-tracks-{album_id}", album_id)


@fragment("track", topic="album")
def track(track_id: int) -> Partial | None:
    return _of_track("catalog/_track_row.html", track_id)


@fragment("album_head", topic="studio")
def studio_head(album_id: int) -> Partial | None:
    return _of_album("catalog/_studio_head.html", f"#album-head-{album_id}", album_id)


@fragment("track_list", topic="studio")
def studio_track_list(album_id: int) -> Partial | None:
    return _of_album("catalog/_studio_tracks.html", f"#album-tracks-{album_id}", album_id)


@fragment("track", topic="studio")
def studio_track(track_id: int) -> Partial | None:
    return _of_track("catalog/_studio_track_row.html", track_id)


@fragment("cover_job", topic="studio")
def cover_job(album_id: int) -> Partial:
    job = job_queries.latest_jobs(["make_album_cover"], [album_id]).get(album_id)
    return Partial("#picture-job", render_template("catalog/_picture_job.html", job=job))


@fragment("picture_job", topic="studio_artist")
def picture_job(artist_id: int) -> Partial:
    job = job_queries.latest_jobs(["make_artist_picture"], [artist_id]).get(artist_id)
    return Partial("#picture-job", render_template("catalog/_picture_job.html", job=job))


@fragment("artist_head", topic="artist")
def artist_head(artist_id: int) -> Partial | None:
    return _of_artist("catalog/_artist_head.html", f"#artist-head-{artist_id}", artist_id)


@fragment("artist_albums", topic="artist")
def artist_albums(artist_id: int) -> Partial | None:
    return _of_artist("catalog/_artist_albums.html", f"#artist-albums-{artist_id}", artist_id)


def _of_album(template: str, target: str, album_id: int) -> Partial | None:
    album = queries.album_page(album_id)
    return Partial(target, render_template(template, album=album)) if album else None


def _of_track(template: str, track_id: int) -> Partial | None:
    row = queries.track_row_by_id(track_id)
    return Partial(f"#track-{track_id}", render_template(template, track=row)) if row else None


def _of_artist(template: str, target: str, artist_id: int) -> Partial | None:
    artist = queries.artist_page(artist_id)
    return Partial(target, render_template(template, artist=artist)) if artist else None

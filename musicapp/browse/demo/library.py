"""What the made-up library holds, and how it comes in: by the doors that everybody's music comes in by."""

from __future__ import annotations

import time
import wave
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from io import BytesIO
from pathlib import Path

import numpy as np
from flask import current_app
from sqlalchemy import func, select

from musicapp.accounts import services as accounts
from musicapp.accounts.models import User
from musicapp.audio.errors import EncodeError
from musicapp.audio.ffmpeg import ffmpeg_path, file_url, run_ffmpeg
from musicapp.browse.demo import covers
from musicapp.browse.demo.music import SAMPLE_RATE_HZ, Piece, Sound, render
from musicapp.catalog import queries, services
from musicapp.catalog.errors import NotPublishableError
from musicapp.core.db import db, reading
from musicapp.core.storage import store
from musicapp.jobs import runner
from musicapp.jobs.models import ENDED, Job
from musicapp.jobs.queries import silent_queues
from musicapp.uploads import services as uploads

USERNAME = "demo"
ARTIST = "Northern Quiet"
_BIO = "One synthesiser, one window, a long winter. Every sound here was computed on the machine you hear it from."
_MEDIA_WAIT_S = 15 * 60
_POLL_S = 0.5


@dataclass(frozen=True, slots=True)
class DemoAlbum:
    """An album to make."""

    title: str
    kind: str
    release_on: date
    genres: tuple[str, ...]
    description: str
    draw_cover: Callable[[], bytes]
    pieces: tuple[Piece, ...]


_SLOW = ((0, False), (-4, True), (3, True), (-2, True))
_WIDE = ((0, True), (5, True), (-3, False), (-5, True))
_FALL = ((0, False), (-2, True), (-4, True), (-5, False))

ALBUMS = (
    DemoAlbum(
        title="Night Trains",
        kind="album",
        release_on=date(2026, 1, 16),
        genres=("Ambient", "Electronic"),
        description="Five pieces for the last carriage, written between two stations.",
        draw_cover=covers.night_trains,
        pieces=(
            Piece("Departure Board", 84, 110.00, _SLOW, 16, "pluck", True, 11),
            Piece("Window Seat", 72, 98.00, _WIDE, 14, "bell", False, 12),
            Piece("Signal at Red", 96, 123.47, _FALL, 18, "pluck", True, 13),
            Piece("Sleeper", 60, 87.31, _SLOW, 11, "none", False, 14),
            Piece("First Light, Platform Two", 90, 130.81, _WIDE, 17, "bell", True, 15),
        ),
    ),
    DemoAlbum(
        title="Paper Boats",
        kind="ep",
        release_on=date(2026, 3, 6),
        genres=("Electronic", "Dream pop"),
        description="Three small boats, folded in an afternoon.",
        draw_cover=covers.paper_boats,
        pieces=(
            Piece("Fold", 100, 146.83, _WIDE, 18, "pluck", True, 21),
            Piece("Float", 76, 116.54, _FALL, 14, "bell", False, 22),
            Piece("Farther Than It Looks", 92, 130.81, _SLOW, 17, "pluck", True, 23),
        ),
    ),
)


def is_there() -> bool:
    """True where the library was made before."""
    return (
        db.session.scalar(select(User.id).where(User.username_key == USERNAME, User.deleted_at.is_(None))) is not None
    )


def add_library(password_hash: str, albums: tuple[DemoAlbum, ...] = ALBUMS) -> Iterator[str]:
    """Makes user, artist, albums and uploads, commits, and yields a line for each thing as it is done."""
    user = accounts.register(
        username=USERNAME,
        email=f"{USERNAME}@example.org",
        password_hash=password_hash,
        artist_name=ARTIST,
        is_email_confirmed=True,
    )
    user_id = user.id
    artist_id = queries.artists_of_user(user_id)[0].id
    services.update_artist(artist_id, name=ARTIST, bio=_BIO)
    services.ask_for_artist_picture(artist_id, _kept(covers.portrait()), owner_id=user_id)
    db.session.commit()
    yield f"{ARTIST} has a studio."
    album_ids = []
    for album in albums:
        album_ids.append(_add_album(album, artist_id, user_id))
        for number, piece in enumerate(album.pieces, 1):
            _add_piece(album, piece, number, album_ids[-1], user_id)
            yield f"  {album.title}: {piece.title}"
    yield from _wait_for_work(user_id)
    for album_id in album_ids:
        yield _publish(album_id, user_id)


def _kept(content: bytes) -> str:
    return services.keep_picture(BytesIO(content), ".png")


def _add_album(album: DemoAlbum, artist_id: int, user_id: int) -> int:
    cover_key = _kept(album.draw_cover())
    album_id = services.create_album(
        artist_id=artist_id,
        user_id=user_id,
        title=album.title,
        kind=album.kind,
        release_on=album.release_on,
        genres=album.genres,
        description=album.description,
    )
    services.ask_for_album_cover(album_id, cover_key, owner_id=user_id)
    db.session.commit()
    return album_id


def _add_piece(album: DemoAlbum, piece: Piece, number: int, album_id: int, user_id: int) -> None:
    folder = store().scratch_dir()
    file = folder / f"{number:02} {piece.title}.flac"
    try:
        _write_flac(render(piece), file, album, piece, number)
        uploads.accept_upload(user_id=user_id, album_id=album_id, filename=file.name, file=file)
        db.session.commit()
    finally:
        file.unlink(missing_ok=True)
        folder.rmdir()


def _write_flac(sound: Sound, target: Path, album: DemoAlbum, piece: Piece, number: int) -> None:
    raw = target.with_suffix(".wav")
    with wave.open(str(raw), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE_HZ)
        file.writeframes((sound * 32767).astype(np.int16).tobytes())
    tags = {
        "title": piece.title,
        "artist": ARTIST,
        "album": album.title,
        "track": f"{number}/{len(album.pieces)}",
        "date": str(album.release_on),
        "genre": album.genres[0],
    }
    words = [word for name, value in tags.items() for word in ("-metadata", f"{name}={value}")]
    try:
        ended = run_ffmpeg(
            ffmpeg_path(current_app.config["FFMPEG_BINARY"]),
            ["-i", file_url(raw), *words, file_url(target)],
            time_limit_s=120,
        )
    finally:
        raw.unlink()
    if ended.returncode != 0:
        raise EncodeError("demo", f"ffmpeg could not write the demo's music: {ended.log[-300:]}")


def _open_jobs(user_id: int) -> int:
    with reading():
        found = select(func.count()).where(Job.owner_id == user_id, Job.state.not_in(ENDED), Job.kind.in_(_KINDS))
        count = db.session.scalar(found) or 0
        db.session.rollback()  # the next look wants to see what the workers have committed meanwhile
    return count


_KINDS = ("make_artist_picture", "make_album_cover", "probe_upload", "encode_track")


def _wait_for_work(user_id: int) -> Iterator[str]:
    """Lets the site's workers do the work; where none reports, does it here."""
    deadline = time.monotonic() + _MEDIA_WAIT_S
    said = -1
    while (left := _open_jobs(user_id)) and time.monotonic() < deadline:
        if left != said:
            said = left
            yield f"{left} jobs to do"
        if silent_queues():
            if not any(runner.run_next(kind) is not None for kind in _KINDS):
                time.sleep(_POLL_S)  # what is left waits for its time to be tried again
        else:
            time.sleep(_POLL_S)  # the workers say nothing to this process; the ledger does


def _publish(album_id: int, user_id: int) -> str:
    album = queries.album_page(album_id)
    title = album.title if album else ""
    try:
        services.publish_album(album_id, user_id)
    except NotPublishableError as error:
        db.session.rollback()
        return f"{title} stays a draft: {error}"
    db.session.commit()
    return f"{title} is published."

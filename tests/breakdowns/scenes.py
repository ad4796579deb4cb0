"""For every kind of job a small scene in which one of it waits. Built in the app's context; the caller commits."""

from __future__ import annotations

import io
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from PIL import Image

from musicapp.accounts import services as accounts
from musicapp.accounts.avatars import make_avatar
from musicapp.catalog import services as catalog
from musicapp.catalog.models import Album
from musicapp.core.db import db, utc_now
from musicapp.core.storage import store
from musicapp.jobs import runner
from musicapp.jobs import services as jobs
from musicapp.jobs.models import Job
from musicapp.library.models import ArtistFollow
from musicapp.notifications import ledger
from musicapp.notifications.models import FAILED, Delivery
from musicapp.notifications.tasks import ONE_MAIL
from musicapp.notifications.telling import tell
from musicapp.ops.queries.storage import MEASURE
from musicapp.playlists import services as playlists
from musicapp.playlists.models import Playlist
from musicapp.uploads import services as uploads
from tests.notifications.world import World, add_user, make_world


@dataclass(frozen=True)
class Scene:
    """`kind` waits after `build(song)`, where song is a tagged second of audio with a cover."""

    kind: str
    build: Callable[[Path], None]
    mails: int = 0
    """How many leave in the end."""
    everywhere: bool = False
    """Killed not only around its commits, but between files and in the middle of its talk with the mail server, too.

    For one scene of several that do that by the same lines.
    """
    every: int = 1
    """Killed at every so-manieth point, where another scene passes the same lines; odd: before and after commits."""


SCENES: dict[str, Scene] = {}


def scene(
    kind: str, name: str = "", *, mails: int = 0, everywhere: bool = False, every: int = 1
) -> Callable[[Callable[[Path], None]], Callable[[Path], None]]:
    def declare(build: Callable[[Path], None]) -> Callable[[Path], None]:
        SCENES[name or kind] = Scene(kind, build, mails, everywhere, every)
        return build

    return declare


def world() -> World:
    """Everybody's own mails, notices and jobs from making the world are done."""
    made = make_world()
    db.session.query(Job).delete()
    db.session.commit()
    return made


def picture() -> str:
    """The key of a picture that somebody chose."""
    content = io.BytesIO()
    Image.new("RGB", (400, 400), "teal").save(content, "PNG")
    content.seek(0)
    return catalog.keep_picture(content, ".png")


def mail_of(kind: str) -> Callable[[Path], None]:
    def build(_song: Path) -> None:
        user_id, subject_id, arguments = world().occasions[kind]
        jobs.add(f"mail_{kind}", subject_id=subject_id, arguments={**arguments, "user_id": user_id})

    return build


for _kind in ONE_MAIL:
    _is_first = _kind == "reset_password"
    scene(f"mail_{_kind}", mails=1, everywhere=_is_first, every=1 if _is_first else 3)(mail_of(_kind))


@scene("mail_again", mails=1)
def _mail_again(_song: Path) -> None:
    user_id, subject_id, _arguments = world().occasions["album_published"]
    failed = Delivery(kind="album_published", subject_id=subject_id, user_id=user_id, reason="x", state=FAILED)
    db.session.add(failed)
    db.session.flush()
    assert ledger.send_again(failed.id)


@scene("tell", mails=3)
def _tell(_song: Path) -> None:
    made = world()
    for name in ("charlie", "dave"):
        db.session.add(ArtistFollow(user_id=add_user(name).id, artist_id=made.artist.id))
    tell("new_release", subject_id=made.album.id)


@scene("tell_uploads", mails=1)
def _tell_uploads(song: Path) -> None:
    _file(song, content=b"no audio")
    runner.run_next("probe_upload")


@scene("newsletter", mails=3)
def _newsletter(_song: Path) -> None:
    world()
    for name in ("charlie", "dave", "erin"):
        add_user(name)
    now = utc_now().isoformat()
    jobs.add("newsletter", arguments={"time_zone": "UTC", "day": now[:10], "until": now})


@scene("artist_figures", mails=1, every=3)
def _figures(_song: Path) -> None:
    world()
    now = utc_now().isoformat()
    jobs.add("artist_figures", arguments={"time_zone": "UTC", "day": now[:10], "until": now})


@scene("digest", mails=1)
def _digest(_song: Path) -> None:
    world()
    now = (utc_now() + timedelta(seconds=1)).isoformat()
    zone = "Europe/Berlin"
    jobs.add("digest", arguments={"frequency": "daily", "time_zone": zone, "before": now, "day": now[:10]})


@scene("playlist_digest")
def _playlist_digest(_song: Path) -> None:
    made = world()
    playlist = db.session.query(Playlist).one()
    arguments = {"user_id": made.bob.id, "from_version": 0, "to_version": playlist.version}
    jobs.add("playlist_digest", subject_id=playlist.id, arguments=arguments)


@scene("make_album_cover", everywhere=True)
def _cover(_song: Path) -> None:
    made = world()
    catalog.ask_for_album_cover(made.draft.id, picture(), owner_id=made.alice.id)


@scene("make_album_cover", "cover found in a file")
def _found_cover(_song: Path) -> None:
    made = world()
    catalog.ask_for_album_cover(made.draft.id, picture(), owner_id=made.alice.id, only_if_none=True)


@scene("make_artist_picture", every=3)
def _artist_picture(_song: Path) -> None:
    made = world()
    catalog.ask_for_artist_picture(made.artist.id, picture(), owner_id=made.alice.id)


@scene("make_playlist_cover")
def _playlist_cover(_song: Path) -> None:
    made = world()
    playlists.ask_for_cover(db.session.query(Playlist.id).scalar(), made.alice.id, picture())


@scene("resize_avatar", everywhere=True)
def _avatar(_song: Path) -> None:
    made = world()
    made.alice.avatar_key = make_avatar(store().path(picture()))
    accounts.change_avatar(made.alice.id, picture())


@scene("delete_avatar")
def _no_avatar(_song: Path) -> None:
    made = world()
    made.alice.avatar_key = make_avatar(store().path(picture()))
    db.session.flush()
    accounts.set_avatar(made.alice.id, None)


@scene("probe_upload", mails=1)
def _probe(song: Path) -> None:
    _file(song)


@scene("encode_track", mails=1)
def _encode(song: Path) -> None:
    _file(song)
    runner.run_next("probe_upload")


@scene("rebuild_search_index", every=5)
def _search(_song: Path) -> None:
    world()
    jobs.add("rebuild_search_index")


@scene("forget_listener")
def _forget_listener(_song: Path) -> None:
    jobs.add("forget_listener", subject_id=world().bob.id)


@scene("forget_playlist_user")
def _forget_in_playlists(_song: Path) -> None:
    jobs.add("forget_playlist_user", subject_id=world().bob.id)


@scene(MEASURE)
def _measure(_song: Path) -> None:
    world()
    picture()
    jobs.add(MEASURE)


@scene("act_on_jobs")
def _act_on_jobs(_song: Path) -> None:
    made = world()
    for _ in range(60):  # more than one part
        jobs.add("forget_listener", subject_id=made.bob.id, run_at=utc_now() + timedelta(days=1))
    until = (utc_now() + timedelta(seconds=1)).isoformat()
    jobs.add("act_on_jobs", arguments={"act": "cancel", "kind": "forget_listener", "until": until})


def _file(song: Path, content: bytes | None = None) -> None:
    """alice's file has come in."""
    made = world()
    album_id = db.session.query(Album.id).where(Album.id == made.draft.id).scalar()
    copy = store().scratch_dir() / song.name
    shutil.copy(song, copy)
    if content is not None:
        copy.write_bytes(content)
    uploads.accept_upload(user_id=made.alice.id, album_id=album_id, filename=song.name, file=copy)
    copy.parent.rmdir()
    db.session.commit()

"""A small world in which every kind of mail has something to say: alice makes music, bob listens and follows her."""

from __future__ import annotations

import email
import email.policy
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from flask import Flask

from musicapp.accounts.models import User, UserSession
from musicapp.catalog.models import Album, AlbumCredit, Artist, ArtistMember, Artwork, Track, TrackCredit
from musicapp.core.db import db, utc_now
from musicapp.library.models import ArtistFollow
from musicapp.notifications.models import Announcement, DigestEntry
from musicapp.playback.models import Play
from musicapp.playlists import services as playlists
from musicapp.playlists.models import Playlist, PlaylistInvitation, PlaylistMember
from musicapp.stats.services import tally_day
from musicapp.uploads.models import Upload


def read_mails(app: Flask) -> list[EmailMessage]:
    """What left, from the folder that stands in for a mail server."""
    mails = []
    for path in sorted(Path(app.config["INSTANCE_PATH"], "mail").glob("*.eml")):
        mail = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
        assert isinstance(mail, EmailMessage)
        mails.append(mail)
    return mails


def add_user(name: str, **columns: Any) -> User:
    user = User(
        username=name,
        username_key=name,
        display_name=name.capitalize(),
        email=f"{name}@example.com",
        email_confirmed_at=utc_now(),
        password_hash="x",
    )
    for column, value in columns.items():
        setattr(user, column, value)
    db.session.add(user)
    db.session.flush()
    return user


def add_artist(name: str, *member_ids: int, **columns: Any) -> Artist:
    artist = Artist(name=name, sort_name=name, **columns)
    db.session.add(artist)
    db.session.flush()
    db.session.add_all(ArtistMember(artist_id=artist.id, user_id=user_id, role="owner") for user_id in member_ids)
    db.session.flush()
    return artist


def add_album(artist: Artist, title: str, *, published_at: datetime | None = None, **columns: Any) -> Album:
    album = Album(artist_id=artist.id, title=title, sort_title=title, published_at=published_at, **columns)
    db.session.add(album)
    db.session.flush()
    db.session.add(AlbumCredit(album_id=album.id, artist_id=artist.id, credited_as=artist.name))
    db.session.flush()
    return album


def add_track(album: Album, title: str, *performer_ids: int) -> Track:
    track = Track(album_id=album.id, title=title, sort_title=title, ready_at=utc_now())
    db.session.add(track)
    db.session.flush()
    db.session.add_all(TrackCredit(track_id=track.id, artist_id=id_, credited_as="x") for id_ in performer_ids)
    db.session.flush()
    return track


def add_plays(track: Track, at: datetime, *listeners: User | str) -> None:
    for listener in listeners:
        user_id = listener.id if isinstance(listener, User) else None
        name = f"user-{user_id}" if user_id else str(listener)
        db.session.add(
            Play(
                hearing_id=f"{track.id}/{name}/{at.isoformat()}",
                user_id=user_id,
                listener=name,
                track_id=track.id,
                album_id=track.album_id,
                started_at=at,
            )
        )
    db.session.flush()


@dataclass
class World:
    """Ids, and for each kind of mail its subject and arguments."""

    alice: User
    bob: User
    carol: User
    """She has not confirmed her address."""
    artist: Artist
    album: Album
    draft: Album
    occasions: dict[str, tuple[int, int, dict[str, Any]]] = field(default_factory=dict)
    """Kind -> (reader, subject, arguments)."""


def make_world() -> World:
    alice, bob = add_user("alice"), add_user("bob", time_zone="Europe/Berlin")
    carol = add_user("carol", email_confirmed_at=None)
    artist = add_artist("Ala & Söhne", alice.id)
    cover = Artwork(key="a/1", sha256="x", width=640, height=640, sizes=[160, 320, 640], color="#204060")
    album = add_album(artist, "Morgenröte <1>", published_at=utc_now(), cover=cover, release_on=date(2026, 11, 20))
    draft = add_album(artist, "Entwurf")
    silent = add_artist("Stille", alice.id)
    add_album(silent, "Zuletzt", created_at=utc_now() - timedelta(days=40))
    track = add_track(album, "Tide", artist.id)
    db.session.add(ArtistFollow(user_id=bob.id, artist_id=artist.id))
    session = UserSession(token_hash="x", user_id=bob.id, device="Firefox on Linux", ip_address="192.0.2.7")
    upload = Upload(
        token="t",
        user_id=alice.id,
        album_id=draft.id,
        filename="03 Tide.flac",
        size_bytes=1,
        key="k",
        state="failed",
        error="The file ends in the middle.",
        expires_at=utc_now(),
    )
    announcement = Announcement(
        author_id=alice.id, artist_id=artist.id, title="Tonight", words="Come!\n\nhttps://hall.example/?a=1&b=2 <b>"
    )
    db.session.add_all([session, upload, announcement])
    today = utc_now().replace(hour=1, minute=0, second=0, microsecond=0)
    add_plays(track, today - timedelta(days=2), bob, "visitor-1")
    tally_day((today - timedelta(days=2)).date())
    playlist = _add_playlist(alice, bob, track.id)
    invitation = PlaylistInvitation(
        playlist_id=playlist.id,
        user_id=bob.id,
        role="editor",
        token="secret",
        created_by_id=alice.id,
        expires_at=utc_now() + timedelta(days=30),
    )
    db.session.add(invitation)
    entries = [
        DigestEntry(user_id=bob.id, outlet="mail", frequency="daily", kind=kind, subject_id=id_, reason=kind)
        for kind, id_ in (("new_release", album.id), ("announcement", 1), ("playlist_changed", playlist.id))
    ]
    entries[2].arguments = {"from_version": 1, "to_version": 2}
    db.session.add_all(entries)
    db.session.commit()
    entries[1].subject_id = announcement.id
    db.session.commit()
    world = World(alice, bob, carol, artist, album, draft)
    first_day = (today - timedelta(days=6)).date().isoformat()
    sitting = {"ready": 2, "failed": 1, "upload_ids": [upload.id]}
    digest = {"entry_ids": [entry.id for entry in entries], "frequency": "daily"}
    world.occasions = {
        "confirm_address": (carol.id, carol.id, {}),
        "reset_password": (bob.id, bob.id, {}),
        "email_changed": (bob.id, bob.id, {"old_email": "old@example.com"}),
        "new_device": (bob.id, bob.id, {"session_id": session.id}),
        "album_created": (alice.id, draft.id, {}),
        "album_published": (alice.id, album.id, {}),
        "upload_finished": (alice.id, draft.id, {"ready": 2, "failed": 0}),
        "upload_failed": (alice.id, draft.id, sitting),
        "artist_inactive": (alice.id, silent.id, {}),
        "artist_figures": (alice.id, 0, {"artist_ids": [artist.id], "first_day": first_day}),
        "new_release": (bob.id, album.id, {}),
        "newsletter": (bob.id, 0, {"album_ids": [album.id], "followed_ids": [album.id]}),
        "announcement": (bob.id, announcement.id, {}),
        "invited_to_playlist": (bob.id, invitation.id, {}),
        "album_moderated": (alice.id, draft.id, {"is_down": False, "reason": ""}),
        "report_decided": (
            bob.id,
            1,
            {"state": "dismissed", "about": "Tide <1>", "url": "/tracks/1", "words": "Fine."},
        ),
        "digest": (bob.id, 0, digest),
    }
    return world


def _add_playlist(owner: User, member: User, track_id: int) -> Playlist:
    playlist = playlists.create_playlist(owner.id, "Slow mornings")
    db.session.add(PlaylistMember(playlist_id=playlist.id, user_id=member.id, role="editor"))
    db.session.flush()
    playlists.add_tracks(playlist.id, owner.id, [track_id])
    return playlist

"""A published album and a draft of alice's, with files in the store; bob listens, charlie is a stranger."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient

from musicapp.accounts import services as accounts
from musicapp.accounts.models import User
from musicapp.catalog.models import Album, Artist, ArtistMember, Original, Rendition, Track
from musicapp.core.db import db
from musicapp.core.storage import store

MADE_AT = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
LADDER = {"opus_64": ("opus", "audio/ogg"), "opus_128": ("opus", "audio/ogg"), "mp3_256": ("mp3", "audio/mpeg")}


def content(name: str, size_bytes: int = 300_000) -> bytes:
    """Bytes that differ from file to file and from place to place."""
    line = f"{name}-".encode()
    return (line * (size_bytes // len(line) + 1))[:size_bytes]


def put(name: str, *, kind: str = "renditions", suffix: str = "", size_bytes: int = 300_000) -> str:
    key = store().new_key(kind, suffix)
    store().path(key).write_bytes(content(name, size_bytes))
    return key


@dataclass
class House:
    """Ids of what the tests talk about."""

    app: Flask
    alice: int
    bob: int
    artist: int
    album: int
    draft_album: int
    ready: int
    """A published track with all renditions, waveform and preview."""
    fresh: int
    """Published, plays from its mp3 original."""
    preparing: int
    """Published, an original no browser plays."""
    draft: int

    def signed_in(self, user_id: int) -> FlaskClient:
        client = self.app.test_client()
        with self.app.app_context():
            token = accounts.open_session(user_id, device="test", ip_address="127.0.0.1")
            db.session.commit()
        with client.session_transaction() as session:
            session["_user_id"] = token
            session["_fresh"] = True
        return client


def add_user(name: str) -> int:
    user = User(username=name, username_key=name, email=f"{name}@example.com", password_hash="!")
    db.session.add(user)
    db.session.flush()
    return user.id


def add_album(artist_id: int, *, is_published: bool) -> int:
    album = Album(
        artist_id=artist_id, title="Winter", sort_title="Winter", published_at=MADE_AT if is_published else None
    )
    db.session.add(album)
    db.session.flush()
    return album.id


def add_track(
    album_id: int, title: str, *, codec: str = "mp3", is_playable: bool = True, is_ready: bool = False
) -> int:
    track = Track(album_id=album_id, title=title, sort_title=title, duration_ms=200_000, created_at=MADE_AT)
    mime = {"mp3": "audio/mpeg", "alac": "audio/mp4", "flac": "audio/flac"}[codec]
    track.original = Original(
        key=put(f"{title}-original", kind="originals"),
        filename="as uploaded.bin",
        size_bytes=300_000,
        container=codec,
        codec=codec,
        mime=mime,
        is_browser_playable=is_playable,
        is_lossless=codec != "mp3",
        bitrate_kbps=320,
        created_at=MADE_AT,
    )
    if is_ready:
        for profile, (name, rendition_mime) in LADDER.items():
            track.renditions.append(
                Rendition(
                    profile=profile,
                    key=put(f"{title}-{profile}"),
                    codec=name,
                    mime=rendition_mime,
                    bitrate_kbps=int(profile.rpartition("_")[2]) - 3,
                    size_bytes=300_000,
                    duration_ms=200_000,
                    created_at=MADE_AT,
                )
            )
        track.waveform_key = put(f"{title}-waveform", kind="waveforms", suffix=".json", size_bytes=100)
        track.preview_key = put(f"{title}-preview", kind="previews", suffix=".mp3", size_bytes=1000)
        track.ready_at = MADE_AT
    db.session.add(track)
    db.session.flush()
    return track.id


@pytest.fixture
def house(app: Flask) -> House:
    with app.app_context():
        alice, bob = add_user("alice"), add_user("bob")
        artist = Artist(name="Aurora", sort_name="Aurora")
        db.session.add(artist)
        db.session.flush()
        db.session.add(ArtistMember(artist_id=artist.id, user_id=alice))
        album, draft_album = add_album(artist.id, is_published=True), add_album(artist.id, is_published=False)
        made = House(
            app=app,
            alice=alice,
            bob=bob,
            artist=artist.id,
            album=album,
            draft_album=draft_album,
            ready=add_track(album, "Ready", codec="flac", is_ready=True),
            fresh=add_track(album, "Fresh"),
            preparing=add_track(album, "Preparing", codec="alac", is_playable=False),
            draft=add_track(draft_album, "Draft", is_ready=True),
        )
        db.session.commit()
    return made

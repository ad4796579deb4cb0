"""alice has a studio with a draft; bob listens; charlie has a studio of his own and must see nothing of hers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field

import pytest
from flask import Flask, has_app_context
from flask.testing import FlaskClient
from sqlalchemy import event, select

from musicapp.audio.facts import AudioFacts, AudioTags
from musicapp.catalog import services
from musicapp.catalog.models import ArtistMember
from musicapp.core.db import db
from tests.people import register, sign_in


def facts(title: str | None = None, *, browser_playable: bool = True, **tags: object) -> AudioFacts:
    """What a probe says of a four-minute MP3 with these tags."""
    return AudioFacts(
        container="mp3",
        codec="mp3",
        mime="audio/mpeg",
        browser_playable=browser_playable,
        lossless=False,
        sample_rate_hz=44100,
        channels=2,
        layout="stereo",
        bit_depth=None,
        bitrate_kbps=320,
        declared_duration_ms=240_000,
        encoder_delay_samples=None,
        encoder_padding_samples=None,
        tags=AudioTags(title=title, **tags),  # type: ignore[arg-type]
    )


def outcome(
    track_id: int, profiles: tuple[str, ...] = ("opus_64", "mp3_256"), version: int = 1
) -> services.EncodeOutcome:
    """What an encoding hands over; its files need not exist."""
    return services.EncodeOutcome(
        duration_ms=241_000,
        renditions=tuple(
            services.NewRendition(
                profile=profile,
                key=f"renditions/{track_id}/{profile}-{version}",
                codec="opus",
                mime="audio/ogg",
                bitrate_kbps=int(profile.split("_")[1]),
                size_bytes=1000,
                duration_ms=241_000,
            )
            for profile in profiles
        ),
        integrated_loudness_lufs=-12.0,
        true_peak_dbtp=-0.5,
        track_gain_db=-6.0,
        waveform_key=f"waveforms/{track_id}-{version}.json",
        preview_key=None,
    )


@dataclass
class House:
    """Ids of what the tests talk about, and browsers that are signed in."""

    app: Flask
    alice: int
    bob: int
    charlie: int
    artist: int
    charlies_artist: int
    album: int
    _made: int = field(default=0)

    def browser(self, user_id: int) -> FlaskClient:
        return sign_in(self.app, user_id)

    def add_track(self, title: str = "One", album_id: int | None = None, **more: object) -> int:
        """A track of a file that browsers play, committed."""
        self._made += 1
        with self.context():
            track_id = services.add_track(
                album_id or self.album,
                facts(title, **more),  # type: ignore[arg-type]
                services.NewOriginal(f"originals/{self._made}", f"{title}.mp3", 1000, self.alice),
                fallback_title=title,
            )
            db.session.commit()
        return track_id

    def context(self) -> AbstractContextManager[object]:
        """The test's own context if it has one: another one's session would wait for SQLite's lock."""
        return nullcontext() if has_app_context() else self.app.app_context()

    def publish(self) -> None:
        with self.context():
            services.publish_album(self.album, self.alice)
            db.session.commit()


@pytest.fixture
def house(app: Flask) -> House:
    alice = register(app, "alice", artist_name="The Auroras")
    bob = register(app, "bob")
    charlie = register(app, "charlie", artist_name="Charlie & Sons")
    with app.app_context():
        artist, charlies = (
            db.session.scalars(select(ArtistMember.artist_id).where(ArtistMember.user_id == user)).one()
            for user in (alice, charlie)
        )
        album = services.create_album(artist_id=artist, user_id=alice, title="Winter", genres=["Dream pop"])
        db.session.commit()
    return House(app, alice, bob, charlie, artist, charlies, album)


@contextmanager
def statements() -> Iterator[list[str]]:
    """The SQL that runs inside."""
    ran: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        ran.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield ran
    finally:
        event.remove(db.engine, "before_cursor_execute", note)

"""alice publishes an album, bob reports, the admin decides."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from musicapp.catalog import services as catalog
from musicapp.catalog.models import ArtistMember
from musicapp.core.db import db
from musicapp.ops.models import AuditEntry
from tests.catalog.conftest import facts
from tests.people import register, sign_in


@dataclass
class Desk:
    """Ids, and browsers that are signed in."""

    app: Flask
    admin_id: int
    alice: int
    bob: int
    artist: int
    album: int
    track: int
    admin: FlaskClient

    def browser(self, user_id: int) -> FlaskClient:
        return sign_in(self.app, user_id)

    def acts(self) -> list[tuple[str, str]]:
        """(act, what it was done with), in the order of doing."""
        with self.app.app_context():
            return [
                (row.act, row.subject_words) for row in db.session.scalars(select(AuditEntry).order_by(AuditEntry.id))
            ]

    def get(self, model: Any, id: int) -> Any:
        """The row as it is now, detached."""
        with self.app.app_context():
            row = db.session.get_one(model, id)
            db.session.expunge(row)
            return row


@pytest.fixture
def desk(app: Flask) -> Desk:
    admin, bob = register(app, "admin", role="admin"), register(app, "bob")
    alice = register(app, "alice", artist_name="The Auroras")
    with app.app_context():
        artist = db.session.scalars(select(ArtistMember.artist_id).where(ArtistMember.user_id == alice)).one()
        album = catalog.create_album(artist_id=artist, user_id=alice, title="Winter")
        original = catalog.NewOriginal("originals/1", "One.mp3", 2_000_000, alice)
        track = catalog.add_track(album, facts("One"), original, fallback_title="One")
        catalog.publish_album(album, alice)
        db.session.commit()
    return Desk(app, admin, alice, bob, artist, album, track, sign_in(app, admin))

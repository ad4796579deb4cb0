"""What is old goes by itself, in small parts, and what somebody still needs stays."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from musicapp.accounts import tasks as accounts
from musicapp.accounts.models import Invitation
from musicapp.catalog import tasks as catalog
from musicapp.catalog.models import Album, Artist, ArtistMember
from musicapp.catalog.services.credits import new_artist_row
from musicapp.core.db import db, utc_now
from musicapp.jobs import purge as old
from musicapp.jobs import tasks as jobs
from musicapp.jobs.models import Job, PeriodicRun
from musicapp.notifications.models import Delivery
from musicapp.notifications.purge import purge_deliveries
from musicapp.playback import tasks as playback
from musicapp.playback.models import ListeningEvent


def ago(days: float) -> Any:
    return utc_now() - timedelta(days=days)


def names(column: Any) -> list[Any]:
    return sorted(db.session.scalars(select(column)))


def test_ended_jobs_go_and_what_is_needed_stays(context: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(old, "BATCH", 2)
    for kind, state, days, key in (
        ("old 1", "succeeded", 91, None),
        ("old 2", "cancelled", 91, None),
        ("old 3", "succeeded", 400, "told already, long ago"),
        ("old 4", "failed", 400, None),
        ("keep: young", "succeeded", 89, None),
        ("keep: failed", "failed", 91, None),
        ("keep: not twice", "succeeded", 91, "told already"),
        ("keep: named", "succeeded", 400, None),
        ("keep: waits", "queued", 400, None),
    ):
        ended = None if state == "queued" else ago(days)
        db.session.add(Job(kind=kind, state=state, created_at=ago(days), finished_at=ended, unique_key=key))
    db.session.flush()
    named = db.session.scalars(select(Job.id).where(Job.kind == "keep: named")).one()
    db.session.add(Delivery(kind="digest", job_id=named, reason="x", state="sent"))
    db.session.add_all(
        PeriodicRun(task=task, state="succeeded", started_at=ago(100), finished_at=ago(100))
        for task in ("no.more", "uploads.sweep")
    )
    db.session.commit()
    assert jobs.purge() == {"jobs": 4, "runs": 1}
    assert [kind.split(":")[0] for kind in names(Job.kind)] == ["keep"] * 5
    assert names(PeriodicRun.task) == ["uploads.sweep"]
    assert jobs.purge() == {"jobs": 0, "runs": 0}


def test_old_mails_go_but_none_that_is_still_to_be_sent(context: Flask) -> None:
    for reason, state, days in (("old", "sent", 366), ("waits", "waiting", 366), ("young", "failed", 364)):
        db.session.add(Delivery(kind="digest", reason=reason, state=state, created_at=ago(days)))
    db.session.commit()
    assert purge_deliveries() == {"mails": 1}
    assert names(Delivery.reason) == ["waits", "young"]
    assert purge_deliveries() == {"mails": 0}


def test_spent_invitations_go_after_a_month(context: Flask) -> None:
    for name, expires, used in (("ran out", 31, None), ("used", -5, 31), ("open", -5, None), ("used lately", -5, 1)):
        db.session.add(
            Invitation(token_hash=name, expires_at=ago(expires), used_at=None if used is None else ago(used))
        )
    db.session.commit()
    assert accounts.purge_invitations() == {"invitations": 2}
    assert names(Invitation.token_hash) == ["open", "used lately"]


def test_old_listening_events_go(context: Flask) -> None:
    for name, days in (("old", 91), ("young", 89)):
        event = {"listener": "user-1", "track_id": 1, "kind": "play", "position_ms": 0, "at": ago(days)}
        db.session.add(ListeningEvent(event_id=name, received_at=ago(days), **event))
        db.session.flush()
    db.session.commit()
    assert playback.purge_events() == {"events": 1}
    assert names(ListeningEvent.event_id) == ["young"]


def test_drafts_that_nobody_can_open_are_deleted(context: Flask, people: list[int]) -> None:
    for title, member, published, days in (
        ("lonely", None, None, 2),
        ("lonely, published", None, ago(1), 2),
        ("lonely, just made", None, None, 0),
        ("alice's", people[0], None, 2),
    ):
        artist: Artist = new_artist_row(title)
        if member is not None:
            artist.members.append(ArtistMember(user_id=member, role="owner"))
        db.session.add(artist)
        db.session.flush()
        db.session.add(
            Album(artist_id=artist.id, title=title, sort_title=title, published_at=published, created_at=ago(days))
        )
    db.session.commit()
    assert catalog.delete_drafts_of_nobody() == {"drafts": 1}
    assert names(select(Album.title).where(Album.deleted_at.is_not(None)).subquery().c.title) == ["lonely"]
    assert catalog.delete_drafts_of_nobody() == {"drafts": 0}

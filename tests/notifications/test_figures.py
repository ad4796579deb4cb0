from __future__ import annotations

from datetime import UTC, datetime, timedelta

from flask import Flask
from sqlalchemy import select

from musicapp.core.db import db, utc_now
from musicapp.jobs.runner import run_next
from musicapp.notifications import due, figures, mornings
from musicapp.notifications.models import Delivery, NotificationPreference
from tests.notifications.world import add_album, add_artist, add_plays, add_track, add_user, read_mails

MONDAY = datetime(2026, 7, 6, 8, 0, tzinfo=UTC)


def _run_at(now: datetime) -> int:
    count = mornings.add_jobs("artist_figures", figures.TASK, "08:00", now, weekday=due.MONDAY)
    while run_next("artist_figures") is not None:
        pass
    return count


def test_artists_get_their_figures_on_monday_morning_once(context: Flask) -> None:
    alice, bob, charlie = (add_user(name).id for name in ("alice", "bob", "charlie"))
    heard, unheard = add_artist("Heard", alice, bob), add_artist("Unheard", alice, charlie)
    track = add_track(add_album(heard, "Album", published_at=utc_now()), "Song", heard.id)
    add_album(unheard, "Album", published_at=utc_now())
    add_plays(track, MONDAY - timedelta(hours=9), "visitor-1")  # on Sunday, counted by no tally yet
    add_plays(track, MONDAY - timedelta(hours=1), "visitor-1")  # on Monday: next week's
    heard_id = heard.id
    db.session.add(NotificationPreference(user_id=bob, kind="artist_figures", outlet="mail", frequency="off"))
    db.session.commit()

    assert _run_at(MONDAY - timedelta(minutes=1)) == 0
    assert _run_at(MONDAY + timedelta(minutes=4)) == 1
    assert _run_at(MONDAY + timedelta(minutes=9)) == 0
    assert _run_at(MONDAY + timedelta(days=1)) == 0
    (mail,) = read_mails(context)
    assert mail["To"] == "alice@example.com", "bob chose none, and of charlie's artist there is nothing to say"
    assert mail["Subject"] == "Heard: one play this week"
    text = mail.get_body(("plain",))
    assert text is not None
    assert "from 29 June 2026 to 5 July 2026" in text.get_content()
    assert "Unheard" not in text.get_content()
    assert db.session.scalars(select(Delivery.arguments)).all() == [
        {"artist_ids": [heard_id], "first_day": "2026-06-29"}
    ]

    assert _run_at(MONDAY + timedelta(days=7)) == 1
    assert _run_at(MONDAY + timedelta(days=14)) == 1, "nothing this week, something the week before"
    assert _run_at(MONDAY + timedelta(days=21)) == 1
    assert len(read_mails(context)) == 3, "two silent weeks: nothing to write"

"""Digests, and what the nightly tasks end."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask
from PIL import Image
from sqlalchemy import func, select, update

from musicapp.accounts.models import User
from musicapp.catalog import services as catalog
from musicapp.catalog.models import Artwork, Track
from musicapp.core.db import db, utc_now
from musicapp.jobs import runner
from musicapp.jobs.models import Job
from musicapp.playlists import queries, services, tasks
from musicapp.playlists.errors import PlaylistForbiddenError
from musicapp.playlists.events import PlaylistDigestDue
from musicapp.playlists.models import Playlist, PlaylistChange, PlaylistEntry
from tests.playlists.conftest import Lists
from tests.playlists.replay import assert_history_tells_everything


@pytest.fixture
def due(context: Flask) -> Iterator[list[PlaylistDigestDue]]:
    """The digests that the mail room would be told of."""
    told: list[PlaylistDigestDue] = []
    handlers = context.extensions["event_handlers"]
    before = handlers.get(PlaylistDigestDue)
    handlers[PlaylistDigestDue] = [told.append]
    yield told
    handlers[PlaylistDigestDue] = before or []


def ask_for_digests(*user_ids: int) -> int:
    """Of those who want to hear of changes; a preference says that elsewhere."""
    count = services.ask_for_digests(select(User.id).where(User.id.in_(user_ids)))
    db.session.commit()
    return count


def run_jobs(kind: str) -> None:
    db.session.commit()
    while runner.run_next(kind):
        pass


def test_digest_tells_what_others_did_once(lists: Lists, context: Flask, due: list[PlaylistDigestDue]) -> None:
    playlist_id = lists.playlist(1, 2, visibility="public")
    services.follow(playlist_id, lists.charlie)
    services.add_tracks(playlist_id, lists.alice, lists.tracks[2:4])
    services.add_tracks(playlist_id, lists.bob, lists.tracks[4:7])
    services.remove_entries(playlist_id, lists.bob, lists.entries(playlist_id)[:1])
    services.undo_last(playlist_id, lists.bob)
    assert ask_for_digests(lists.alice, lists.charlie) == 2
    run_jobs("playlist_digest")
    assert sorted((told.user_id, told.from_version, told.to_version) for told in due) == [
        (lists.alice, 0, 5),
        (lists.charlie, 1, 5),
    ]
    for_alice = queries.digest_of(playlist_id, lists.alice, 0, 5)
    assert for_alice is not None
    (part,) = for_alice.parts
    assert part.by is not None
    assert (part.by.username, part.added_count, part.removed_count) == ("bob", 3, 0)
    assert sorted(row.title for row in for_alice.added_tracks) == ["Track 5", "Track 6", "Track 7"]
    for_charlie = queries.digest_of(playlist_id, lists.charlie, 1, 5)
    assert for_charlie is not None
    assert [one.added_count for one in for_charlie.parts] == [2, 3]
    assert ask_for_digests(lists.alice, lists.charlie) == 0


def test_nobody_is_told_of_their_own_changes_or_unasked(
    lists: Lists, context: Flask, due: list[PlaylistDigestDue]
) -> None:
    playlist_id = lists.playlist(1, visibility="public")
    services.follow(playlist_id, lists.charlie)
    services.add_tracks(playlist_id, lists.alice, lists.tracks[2:4])
    assert ask_for_digests(lists.alice, lists.bob) == 1
    run_jobs("playlist_digest")
    assert [told.user_id for told in due] == [lists.bob]
    services.add_tracks(playlist_id, lists.alice, lists.tracks[4:5])
    assert ask_for_digests(lists.charlie) == 1
    services.set_digest(playlist_id, lists.charlie, False)
    run_jobs("playlist_digest")
    assert len(due) == 1
    assert ask_for_digests(lists.charlie) == 0
    services.set_digest(playlist_id, lists.charlie, True)
    assert ask_for_digests(lists.charlie) == 0, "what came while it was muted is no news"
    with pytest.raises(PlaylistForbiddenError):
        services.set_digest(playlist_id, 999, True)


def test_digest_asked_for_twice_is_one_job(lists: Lists, context: Flask, due: list[PlaylistDigestDue]) -> None:
    playlist_id = lists.playlist(1)
    services.add_tracks(playlist_id, lists.bob, lists.tracks[2:4])
    ask_for_digests(lists.alice)
    ask_for_digests(lists.alice)
    run_jobs("playlist_digest")
    assert len(due) == 1
    jobs = db.session.scalars(select(Job).where(Job.kind == "playlist_digest")).all()
    assert [(job.state, job.result) for job in jobs] == [("succeeded", {"changes_by": 1})]


def test_old_history_ends_and_the_newest_changes_stay(
    lists: Lists, context: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("musicapp.playlists.services.purge.ALWAYS_KEPT_CHANGES", 4)
    playlist_id = lists.playlist(1, 2, 3, 4)
    for _ in range(3):
        services.remove_entries(playlist_id, lists.bob, lists.entries(playlist_id)[:1])
    services.add_tracks(playlist_id, lists.bob, lists.tracks[7:9])
    services.add_tracks(playlist_id, lists.bob, lists.tracks[6:7])
    db.session.execute(update(PlaylistChange).values(created_at=utc_now() - timedelta(days=91)))
    db.session.commit()
    assert tasks.purge()["changes"] == 2
    kept = queries.history(playlist_id, lists.alice)
    assert [row.version for row in kept] == [6, 5, 4, 3]
    # The entry removed by version 2 is gone for good; those removed by 3 and 4 can come back.
    count = select(func.count(PlaylistEntry.id)).where(PlaylistEntry.removed_at.is_not(None))
    assert db.session.scalar(count) == 2
    services.restore_version(playlist_id, lists.alice, 2)
    assert lists.titles(playlist_id) == "234"
    assert queries.keys_at(playlist_id, 1) is None
    assert queries.changes_since(playlist_id, 0) is None
    db.session.commit()
    assert tasks.purge()["changes"] == 1  # the restoring is a fifth change


def test_young_history_stays_however_long_it_is(lists: Lists, context: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("musicapp.playlists.services.purge.ALWAYS_KEPT_CHANGES", 1)
    playlist_id = lists.playlist(1, 2)
    services.remove_entries(playlist_id, lists.bob, lists.entries(playlist_id))
    db.session.commit()
    assert tasks.purge() == {"playlists": 0, "changes": 0, "invitations": 0, "totals": 0}
    assert_history_tells_everything(playlist_id)


def test_deleted_playlists_end_after_a_month_and_lengths_are_counted_anew(lists: Lists, context: Flask) -> None:
    gone, recent, kept = (lists.playlist(1, 2, 3) for _ in range(3))
    for playlist_id, days in ((gone, 31), (recent, 29)):
        services.delete_playlist(playlist_id, lists.alice)
        deleted_at = utc_now() - timedelta(days=days)
        db.session.execute(update(Playlist).where(Playlist.id == playlist_id).values(deleted_at=deleted_at))
    db.session.execute(update(Track).where(Track.id == lists.tracks[0]).values(duration_ms=59_000))
    db.session.commit()
    done = tasks.purge()
    assert (done["playlists"], done["totals"]) == (1, 2)
    assert db.session.scalars(select(Playlist.id).order_by(Playlist.id)).all() == [recent, kept]
    assert_history_tells_everything(kept)


def test_chosen_picture_becomes_the_cover_and_is_kept(lists: Lists, context: Flask) -> None:
    playlist_id = lists.playlist(1)
    picture = io.BytesIO()
    Image.new("RGB", (400, 300), "teal").save(picture, "PNG")
    picture.seek(0)
    services.ask_for_cover(playlist_id, lists.bob, catalog.keep_picture(picture, ".png"))
    run_jobs("make_playlist_cover")
    head = queries.playlist_head(playlist_id)
    assert head is not None
    assert head.cover is not None
    assert (head.cover.width, head.version) == (400, 2)
    told = queries.history(playlist_id, lists.alice)[0]
    assert told.by is not None
    assert (told.by.username, list(told.fields)) == ("bob", ["cover_id"])
    db.session.execute(update(Artwork).values(created_at=utc_now() - timedelta(days=9)))
    assert catalog.forget_unused_artwork() == []
    services.remove_cover(playlist_id, lists.bob)
    assert len(catalog.forget_unused_artwork()) == 2


def test_picture_of_somebody_who_was_removed_meanwhile_is_refused(lists: Lists, context: Flask) -> None:
    playlist_id = lists.playlist(1)
    picture = io.BytesIO()
    Image.new("RGB", (40, 40)).save(picture, "PNG")
    picture.seek(0)
    job_id = services.ask_for_cover(playlist_id, lists.bob, catalog.keep_picture(picture, ".png"))
    services.remove_member(playlist_id, lists.alice, lists.bob)
    run_jobs("make_playlist_cover")
    assert db.session.get_one(Job, job_id).state == "failed"
    head = queries.playlist_head(playlist_id)
    assert head is not None
    assert (head.cover, head.version) == (None, 1)

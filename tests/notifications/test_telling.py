"""One event reaches people through several outlets, each once, also through crashes and by the thousand."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event, func, insert, select, update

from musicapp.accounts import services as accounts
from musicapp.accounts.models import User
from musicapp.catalog.events import AlbumPublished
from musicapp.catalog.models import Album
from musicapp.core import events
from musicapp.core.db import db, utc_now
from musicapp.jobs import runner
from musicapp.jobs import services as jobs
from musicapp.jobs.context import JobContext
from musicapp.jobs.models import RUNNING, SUCCEEDED, Job
from musicapp.library.models import ArtistFollow
from musicapp.live import presence
from musicapp.live import services as live
from musicapp.notifications import posting, preferences, readers, sittings, telling
from musicapp.notifications.audiences import AUDIENCES
from musicapp.notifications.kinds import DAILY, KINDS, MAIL, NOW, OFF, PAGE, WEEKLY, Kind
from musicapp.notifications.models import Delivery, DigestEntry, Notice
from musicapp.notifications.notices.words import WRITERS
from musicapp.notifications.outlets import OUTLETS, Outlet, Telling
from musicapp.notifications.outlets.page import MOST_ROWS_SHOWN
from musicapp.playlists import services as playlists
from musicapp.uploads.models import FAILED, READY, RECEIVED, Upload
from tests.notifications.conftest import Cast

SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture(autouse=True)
def closed_post_office(monkeypatch: pytest.MonkeyPatch) -> None:
    """Deliveries stay as they were written."""
    monkeypatch.setattr(posting, "send_waiting", lambda _job: {"sent": 0})


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str, bool]]:
    """What open pages are told: topic, kind, whether only now."""
    told: list[tuple[str, str, bool]] = []
    monkeypatch.setattr(
        live, "publish_now", lambda topic, kind, _id, *, unlogged=False: told.append((topic, kind, unlogged))
    )
    return told


def artist_of(cast: Cast) -> int:
    return db.session.get_one(Album, cast.album_id).artist_id


def add_followers(artist_id: int, count: int, first: int = 1000) -> list[int]:
    ids = list(range(first, first + count))
    names = [{"id": id_, "username": f"u{id_}", "username_key": f"u{id_}", "email": f"u{id_}@x.org"} for id_ in ids]
    known = {"password_hash": "x", "email_confirmed_at": utc_now()}
    db.session.execute(insert(User), [{**name, **known} for name in names])
    db.session.execute(insert(ArtistFollow), [{"user_id": id_, "artist_id": artist_id} for id_ in ids])
    db.session.commit()
    return ids


def publish(album_id: int) -> None:
    db.session.get_one(Album, album_id).published_at = utc_now()
    events.publish(AlbumPublished(album_id))
    db.session.commit()


def run(kind: str = "tell") -> None:
    db.session.commit()
    while runner.run_next(kind):
        pass


def run_late(kind: str = "tell") -> None:
    """Also what waits for its time."""
    db.session.execute(update(Job).where(Job.kind == kind, Job.state == "queued").values(run_at=utc_now()))
    run(kind)


def told_to(model: Any, kind: str) -> list[int]:
    return list(db.session.scalars(select(model.user_id).where(model.kind == kind).order_by(model.user_id)))


@contextmanager
def statements() -> Iterator[list[str]]:
    ran: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        ran.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield ran
    finally:
        event.remove(db.engine, "before_cursor_execute", note)


def test_release_reaches_followers_once_as_they_chose(cast: Cast) -> None:
    page_only, nothing, daily, weekly, closed = add_followers(artist_of(cast), 5)
    preferences.save(page_only, {("new_release", MAIL): OFF})
    preferences.save(nothing, {("new_release", MAIL): OFF, ("new_release", PAGE): OFF})
    preferences.save(daily, {("new_release", MAIL): DAILY})
    preferences.save(weekly, {("new_release", MAIL): WEEKLY, ("new_release", PAGE): OFF})
    db.session.get_one(User, closed).deleted_at = utc_now()
    publish(cast.album_id)
    run()
    publish(cast.album_id)
    run()
    assert told_to(Notice, "new_release") == [page_only, daily]
    assert told_to(Delivery, "new_release") == []
    entries = db.session.execute(select(DigestEntry.user_id, DigestEntry.frequency).order_by(DigestEntry.user_id)).all()
    assert [tuple(row) for row in entries] == [(daily, DAILY), (weekly, WEEKLY)]
    # Its own member hears that it is public, not that somebody they follow has an album out.
    for kind in ("album_created", "album_published"):
        assert told_to(Notice, kind) == told_to(Delivery, kind) == [cast.user_id]
    delivery = db.session.scalars(select(Delivery).where(Delivery.kind == "album_published")).one()
    assert (delivery.reason, delivery.subject_id) == (f"album_published/{cast.album_id}/{cast.user_id}", cast.album_id)


@SQLITE
def test_an_address_that_nobody_confirmed_gets_only_what_answers_its_owners_own_doing(cast: Cast) -> None:
    at_once, daily = add_followers(artist_of(cast), 2)
    preferences.save(daily, {("new_release", MAIL): DAILY})
    db.session.execute(update(User).values(email_confirmed_at=None))
    publish(cast.album_id)
    run()
    assert told_to(Notice, "new_release") == [at_once, daily]
    assert told_to(Delivery, "new_release") == []
    assert db.session.scalars(select(DigestEntry)).all() == []
    for kind in ("album_created", "album_published"):
        assert told_to(Delivery, kind) == [cast.user_id]


def test_a_killed_worker_is_followed_by_one_that_goes_on_where_it_stopped(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readers, "CHUNK_READERS", 10)
    followers = add_followers(artist_of(cast), 35)
    chunks: list[tuple[str, int]] = []

    class KilledError(BaseException):
        pass

    for outlet in OUTLETS.values():

        def tell(told: Telling, some: readers.Readers, outlet: Outlet = outlet) -> int:
            # kill -9 between two statements of the third chunk: the row of its telling is there and not committed
            count = type(outlet).tell(outlet, told, some)
            chunks.append((outlet.name, some.upto))
            if len(chunks) in (3, 6):
                raise KilledError
            return count

        monkeypatch.setattr(outlet, "tell", tell)
    job_id = telling.tell("new_release", subject_id=cast.album_id)
    db.session.execute(update(Job).where(Job.id != job_id).values(state="succeeded"))
    db.session.commit()
    for _ in range(2):
        with pytest.raises(KilledError):
            runner.run_next("tell")
        db.session.rollback()
        db.session.execute(update(Job).where(Job.id == job_id).values(state="queued", claim_token=None))
        db.session.commit()
    run()
    assert told_to(Notice, "new_release") == told_to(Delivery, "new_release") == followers
    ends = [followers[9], followers[19], followers[29], followers[34]]
    assert chunks == [
        *((PAGE, end) for end in [*ends[:3], *ends[2:]]),
        *((MAIL, end) for end in [ends[0], *ends]),
    ], "only the chunk that was not committed is told again"
    assert db.session.get_one(Job, job_id).result == {"page": 35, "mail": 35, "sent": 0}


def test_ten_times_the_followers_are_ten_times_the_chunks_and_no_statement_each(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readers, "CHUNK_READERS", 500)
    run()
    add_followers(artist_of(cast), 2000)
    telling.tell("new_release", subject_id=cast.album_id)
    db.session.commit()
    with statements() as ran:
        run()
    assert db.session.scalar(select(func.count()).select_from(Delivery)) == 2001  # and the congratulation
    assert len(ran) < 70


def test_long_telling_gives_others_a_turn(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readers, "CHUNK_READERS", 10)
    monkeypatch.setattr(telling, "PART_SECONDS", 0.0)
    add_followers(artist_of(cast), 15)
    run()
    job_id = telling.tell("new_release", subject_id=cast.album_id)
    db.session.commit()
    assert runner.run_next("tell") == job_id
    db.session.expire_all()
    assert (db.session.get_one(Job, job_id).state, db.session.get_one(Job, job_id).attempts) == ("queued", 0)


def test_one_reason_is_one_job_in_the_transaction_of_its_cause(context: Flask) -> None:
    first = telling.tell("announcement", subject_id=7)
    assert telling.tell("announcement", subject_id=7) == first
    assert telling.tell("announcement", subject_id=7, reason="announcement/7/again") != first
    db.session.rollback()
    assert db.session.scalar(select(func.count()).select_from(Job)) == 0
    with pytest.raises(KeyError):
        telling.tell("no_such_kind", subject_id=7)


@SQLITE
def test_another_outlet_is_one_more_file(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    class Pager(Outlet):
        """All that such a file has in it."""

        name = "pager"
        rung: list[tuple[str, int]] = []

        @property
        def words(self) -> str:
            return "By pager"

        def choices(self, kind: Kind) -> tuple[str, ...]:
            return (OFF, NOW) if kind.name == "new_release" else ()

        def tell(self, told: Telling, readers: readers.Readers) -> int:
            ids = db.session.scalars(readers.choosing(told.kind.name, self.name, self.default(told.kind), (NOW,)))
            found = [(told.reason, user_id) for user_id in ids]
            self.rung.extend(found)
            return len(found)

        def finish(self, told: Telling, job: JobContext) -> dict[str, int]:
            return {"answered": len(self.rung)}

    monkeypatch.setitem(OUTLETS, "pager", Pager())
    first, _second = add_followers(artist_of(cast), 2)
    preferences.save(first, {("new_release", "pager"): NOW})
    assert preferences.choices_of(first)["announcement"]["pager"].frequencies == ()
    run()
    job_id = telling.tell("new_release", subject_id=cast.album_id)
    run()
    assert Pager.rung == [(f"new_release/{cast.album_id}", first)]
    result = db.session.get_one(Job, job_id).result
    assert result == {"page": 2, "mail": 2, "pager": 1, "sent": 0, "answered": 1}


@SQLITE
def test_only_open_pages_ring_and_a_crowd_of_them_only_counts(
    cast: Cast, heard: list[tuple[str, str, bool]], context: Flask
) -> None:
    run()
    _first, second, *_ = followers = add_followers(artist_of(cast), MOST_ROWS_SHOWN + 10)
    presence.note_here(context.extensions["redis"], [second])
    telling.tell("new_release", subject_id=cast.album_id)
    heard.clear()
    run()
    assert [told for told in heard if told[0].startswith("notices")] == [(f"notices-{second}", "notice", False)]
    presence.note_here(context.extensions["redis"], followers)
    telling.tell("announcement", subject_id=1, arguments={"user_ids": followers})
    heard.clear()
    run()
    rung = [told for told in heard if told[0].startswith("notices")]
    assert len(rung) == len(followers)
    assert {(kind, unlogged) for _topic, kind, unlogged in rung} == {("notice_bell", True)}


def test_every_kind_has_an_audience_and_every_notice_has_words() -> None:
    assert [name for name in KINDS if name not in AUDIENCES and name not in NAMES_ITS_READERS] == []
    assert [name for name, kind in KINDS.items() if PAGE in kind.choices and name not in WRITERS] == []
    for kind in KINDS.values():
        assert all(kind.defaults[outlet] in kind.choices[outlet] for outlet in kind.defaults), kind.name


NAMES_ITS_READERS = ("album_moderated", "report_decided")
"""Told with user_ids always."""


def test_whoever_is_invited_is_told_until_they_answer(cast: Cast) -> None:
    run()
    (bob,) = add_followers(artist_of(cast), 1)
    playlist_id = playlists.create_playlist(cast.user_id, name="Ours").id
    invitation_id = playlists.invite_user(playlist_id, cast.user_id, "u1000", "editor").id
    run()
    assert told_to(Notice, "invited_to_playlist") == told_to(Delivery, "invited_to_playlist") == [bob]
    playlists.decline_invitation(invitation_id, bob)
    playlists.invite_user(playlist_id, cast.user_id, "u1000", "editor")
    playlists.revoke_invitation(playlist_id, cast.user_id, invitation_id + 1)
    run()
    assert told_to(Notice, "invited_to_playlist") == [bob]


@SQLITE
def test_closing_an_account_forgets_what_it_was_told_and_chose(cast: Cast) -> None:
    (bob,) = add_followers(artist_of(cast), 1)
    preferences.save(bob, {("new_release", MAIL): DAILY})
    publish(cast.album_id)
    run()
    assert told_to(DigestEntry, "new_release") == [bob]
    accounts.delete_account(bob)
    assert told_to(Notice, "new_release") == told_to(DigestEntry, "new_release") == []
    assert preferences.choices_of(bob)["new_release"][MAIL].chosen == NOW


# ---- Uploads: one telling for a sitting, a mail only to who has left


def add_upload(cast: Cast, state: str, number: int) -> Upload:
    upload = Upload(
        token=f"t{number}",
        user_id=cast.user_id,
        album_id=cast.album_id,
        filename=f"{number}.flac",
        size_bytes=1,
        key=f"k{number}",
        state=state,
        expires_at=utc_now(),
        finished_at=utc_now() if state in (READY, FAILED) else None,
    )
    db.session.add(upload)
    db.session.flush()
    return upload


def end_probe(upload: Upload, state: str = SUCCEEDED) -> None:
    """The job of an upload ends, as the runner ends it."""
    job_id = jobs.add("probe_upload", subject_id=upload.id, owner_id=upload.user_id)
    job = db.session.get_one(Job, job_id)
    jobs.change(job, RUNNING)
    jobs.change(job, state, finished_at=utc_now())
    db.session.commit()


def test_files_of_a_sitting_are_told_together_once_the_last_has_ended(cast: Cast) -> None:
    run()
    ready = [add_upload(cast, READY, number) for number in range(3)]
    waiting = add_upload(cast, RECEIVED, 3)
    jobs.add("probe_upload", subject_id=waiting.id, owner_id=cast.user_id)
    for upload in ready:
        end_probe(upload)
    assert db.session.scalar(select(func.count()).where(Job.kind == "tell_uploads")) == 0
    db.session.execute(update(Job).where(Job.subject_id == waiting.id).values(state="failed", finished_at=utc_now()))
    end_probe(ready[0])
    end_probe(ready[1])
    run_late("tell_uploads")
    run()
    notice = db.session.scalars(select(Notice).where(Notice.kind.startswith("upload"))).one()
    assert (notice.kind, notice.user_id, notice.subject_id) == ("upload_failed", cast.user_id, cast.album_id)
    assert (notice.arguments["ready"], notice.arguments["failed"]) == (3, 1)
    assert sorted(notice.arguments["upload_ids"]) == [1, 2, 3, 4]

    later = add_upload(cast, READY, 5)
    later_id = later.id
    end_probe(later)
    run_late("tell_uploads")
    run()
    notices = db.session.scalars(select(Notice).where(Notice.kind == "upload_finished")).all()
    assert [one.arguments["upload_ids"] for one in notices] == [[later_id]], "what was told is told no more"


@SQLITE
def test_a_file_whose_bytes_still_come_is_waited_for_and_one_left_behind_is_not(cast: Cast, context: Flask) -> None:
    run()
    coming = add_upload(cast, "receiving", 1)
    coming.expires_at = utc_now() + timedelta(hours=context.config["UPLOAD_EXPIRE_HOURS"])
    end_probe(add_upload(cast, READY, 2))
    run_late("tell_uploads")
    job = db.session.scalars(select(Job).where(Job.kind == "tell_uploads")).one()
    assert job.state == "queued", "bytes came a moment ago"
    assert job.run_at > utc_now() + timedelta(seconds=sittings.COMING_LOOK_S - 5)
    db.session.execute(update(Upload).where(Upload.state == "receiving").values(expires_at=utc_now()))
    run_late("tell_uploads")
    told = db.session.scalars(select(Job.result).where(Job.kind == "tell_uploads")).one()
    assert told is not None
    assert told["told"] == 1


@SQLITE
def test_uploads_are_mailed_only_to_who_had_left(cast: Cast, context: Flask) -> None:
    run()
    about = {"user_ids": [cast.user_id], "ready": 1, "failed": 0, "upload_ids": [1]}
    stayed = telling.tell("upload_finished", subject_id=cast.album_id, reason="stayed", arguments=about)
    run()
    assert told_to(Notice, "upload_finished") == [cast.user_id], "the notice does not wait"
    assert db.session.get_one(Job, stayed).state == "queued"
    presence.note_here(context.extensions["redis"], [cast.user_id])

    def half_a_minute_later(job_id: int) -> None:
        job = db.session.get_one(Job, job_id)
        began_at = utc_now() - timedelta(seconds=31)
        job.arguments = {**job.arguments, "began_at": began_at.isoformat()}
        job.run_at = utc_now()
        run()

    half_a_minute_later(stayed)
    assert told_to(Delivery, "upload_finished") == []
    left = telling.tell("upload_finished", subject_id=cast.album_id, reason="left", arguments=about)
    run()
    presence.note_here(context.extensions["redis"], [cast.user_id], now_s=utc_now().timestamp() - 40)
    half_a_minute_later(left)
    assert told_to(Delivery, "upload_finished") == [cast.user_id]

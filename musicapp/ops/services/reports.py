"""Reports: made by anybody who is signed in, decided at the desk."""

from __future__ import annotations

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.sql import text

from musicapp.accounts.identity import current_viewer
from musicapp.catalog.models import Track
from musicapp.core.db import db, insert_into, utc_now
from musicapp.live import services as live
from musicapp.notifications.telling import tell
from musicapp.ops.audit import audit
from musicapp.ops.models import Report
from musicapp.ops.queries.reports import Subject, subjects_of
from musicapp.ops.services import music, people

TOPIC = "desk"


class DecisionError(ValueError):
    """This can't be decided so; str() says why."""


def report(reporter_id: int, subject_kind: str, subject_id: int, *, reason: str, words: str) -> bool:
    """Writes a report; False where the same person has an open one about the same thing."""
    statement = (
        insert_into(Report)
        .values(
            reporter_id=reporter_id,
            subject_kind=subject_kind,
            subject_id=subject_id,
            reason=reason,
            words=words,
            state="open",
            decision_words="",
            created_at=utc_now(),
        )
        .on_conflict_do_nothing(
            index_elements=["reporter_id", "subject_kind", "subject_id"], index_where=text("state = 'open'")
        )
        .returning(Report.id)
    )
    is_new = db.session.execute(statement).scalar() is not None
    if is_new:
        live.poke(TOPIC)
    return is_new


def decide(report_id: int, deed: str, words: str) -> None:
    """Ends a report and tells the reporter. Raises DecisionError, OversightError; LookupError for no report, KeyError
    for no deed.

    "dismiss" leaves everything as it is; "take_down" takes down the album, the track's album, the artist's albums,
    or makes a playlist private; "suspend" is for users; "noted" says that it was seen to elsewhere.
    """
    found = db.session.get(Report, report_id, with_for_update=True, populate_existing=True)
    if found is None:
        raise LookupError(report_id)
    _check(found, deed, words)
    _end(found, deed, words)
    DEEDS[deed](found.subject_kind, found.subject_id, words)


def _check(found: Report, deed: str, words: str) -> None:
    if deed not in ("dismiss", *deeds_for(found.subject_kind)):
        raise KeyError(deed)
    if found.state != "open":
        raise DecisionError(_("Another admin has decided this report."))
    if not words and deed in {"take_down", "suspend"}:
        raise DecisionError(_("Write why: the people it concerns read it."))
    if deed == "suspend" and found.subject_id == current_viewer().id:
        raise DecisionError(_("You can't do this to your own account. Ask another admin."))


def _take_down(kind: str, subject_id: int, words: str) -> None:
    if kind == "album":
        music.take_down_album(subject_id, words)
    elif kind == "track":
        album_id = db.session.scalar(select(Track.album_id).where(Track.id == subject_id))
        if album_id is not None:
            music.take_down_album(album_id, words)
    elif kind == "artist":
        music.take_down_artist(subject_id, words)
    elif kind == "playlist":
        music.hide_playlist(subject_id, words)


def _suspend(kind: str, subject_id: int, words: str) -> None:
    if kind == "user":
        people.suspend(subject_id, words)


def _nothing(_kind: str, _subject_id: int, _words: str) -> None:
    return


DEEDS = {"dismiss": _nothing, "take_down": _take_down, "suspend": _suspend, "noted": _nothing}


def deeds_for(kind: str) -> tuple[str, ...]:
    """Which deeds make sense for a subject of this kind."""
    return ("suspend" if kind == "user" else "take_down", "noted")


def _end(found: Report, deed: str, words: str) -> None:
    key = (found.subject_kind, found.subject_id)
    subject = subjects_of([key]).get(key) or Subject(*key, words=f"{key[0]} {key[1]}", url="")
    found.state = "dismissed" if deed == "dismiss" else "acted"
    found.decision_words, found.decided_at, found.decided_by_id = words, utc_now(), current_viewer().id
    db.session.flush()
    audit(
        "report.dismiss" if deed == "dismiss" else "report.act",
        subject_kind="report",
        subject_id=found.id,
        subject_words=f"{subject.kind} {subject.words}",
        deed=deed,
        words=words,
    )
    if found.reporter_id is not None:
        about = {"state": found.state, "about": subject.words, "url": subject.url, "words": words[:300]}
        tell("report_decided", subject_id=found.id, arguments={"user_ids": [found.reporter_id], **about})
    live.poke(TOPIC)

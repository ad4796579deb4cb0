"""Writes of notices. Nothing here commits."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import delete, select, update

from musicapp.core.db import db, utc_now
from musicapp.live import services as live
from musicapp.notifications.models import Notice
from musicapp.notifications.notices.queries import UNREAD

PURGED_AT_ONCE = 1000


def open_notice(user_id: int, notice_id: int) -> Notice | None:
    """Marks a notice as read and returns it; None for one that is not this user's.

    The first statement writes, so this is safe in a request that only reads otherwise.
    """
    read_at = utc_now()
    was_unread = db.session.execute(
        update(Notice)
        .where(Notice.id == notice_id, Notice.user_id == user_id, Notice.read_at.is_(None))
        .values(read_at=read_at)
    ).rowcount  # type: ignore[attr-defined]
    notice = db.session.get(Notice, notice_id, populate_existing=True)
    if notice is None or notice.user_id != user_id:
        return None
    if was_unread:
        _changed(user_id)
    return notice


def mark_all_read(user_id: int, upto: int | None = None) -> int:
    """Marks everything as read, up to the notice `upto`: what came while the page was open stays unread."""
    statement = update(Notice).where(Notice.user_id == user_id, Notice.read_at.is_(None))
    if upto is not None:
        statement = statement.where(Notice.id <= upto)
    count = int(db.session.execute(statement.values(read_at=utc_now())).rowcount)  # type: ignore[attr-defined]
    if count:
        _changed(user_id)
    return count


def purge(older_than_days: int) -> int:
    """Removes some of the notices that are older, read or not; how many. 0 when there is none left."""
    old = (
        select(Notice.id)
        .where(Notice.created_at < utc_now() - timedelta(days=older_than_days))
        .order_by(Notice.id)
        .limit(PURGED_AT_ONCE)
    )
    gone = db.session.execute(delete(Notice).where(Notice.id.in_(old)).returning(Notice.user_id, Notice.read_at)).all()
    UNREAD.drop(*{row.user_id for row in gone if row.read_at is None})
    return len(gone)


def _changed(user_id: int) -> None:
    """The bell, and the list, on whatever pages the person has open.

    The list by a poke, which waits a moment: a row that is replaced while its link is being followed leads nowhere.
    """
    UNREAD.drop(user_id)
    live.note(f"notices-{user_id}", "notice_bell", user_id)
    live.poke(f"notices-{user_id}", "notices-read")

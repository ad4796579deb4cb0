"""Reads of notices: how many are unread, and a page of them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from zoneinfo import ZoneInfo

from sqlalchemy import Select, func, select

from musicapp.core.cache import Kind
from musicapp.core.db import db, utc_now
from musicapp.notifications.models import Notice
from musicapp.notifications.notices.words import Words, words_of

PER_PAGE = 40
COUNTED_MOST = 99
"""The bell says "99+" beyond."""

UNREAD: Kind[int] = Kind("unread_notices", int)
"""User id -> how many notices are unread: every page shows it."""


@dataclass(frozen=True, slots=True)
class NoticeRow:
    """A notice as a page shows it."""

    id: int
    kind: str
    created_at: datetime
    is_read: bool
    words: Words


@dataclass(frozen=True, slots=True)
class NoticeDay:
    """The notices of a day in the reader's zone."""

    on: date
    days_ago: int
    notices: list[NoticeRow]


@dataclass(frozen=True, slots=True)
class NoticesPage:
    days: list[NoticeDay]
    next_key: int | None
    """The id that the page after begins before; None at the end."""
    newest_id: int | None = None
    """On the first page, where anything is unread: up to here it is marked as read."""


def unread_count(user_id: int) -> int:
    """How many notices of a person are unread, at most one more than COUNTED_MOST; from the cache in pages."""
    return UNREAD.get(user_id, lambda: db.session.scalar(unread_notices(user_id)) or 0) or 0


def unread_notices(user_id: int) -> Select[int]:
    """What unread_count counts, for a page that asks for something else in the same statement."""
    unread = (
        select(Notice.id).where(Notice.user_id == user_id, Notice.read_at.is_(None)).limit(COUNTED_MOST + 1).subquery()
    )
    return select(func.count()).select_from(unread)


def notices_page(user_id: int, before: int | None, time_zone: str) -> NoticesPage:
    """Newest first, by day. On the first page today is always there: what comes meanwhile goes into it."""
    found = select(Notice).where(Notice.user_id == user_id).order_by(Notice.id.desc()).limit(PER_PAGE + 1)
    if before is not None:
        found = found.where(Notice.id < before)
    notices = list(db.session.scalars(found))
    rows = rows_of(notices[:PER_PAGE])
    zone = ZoneInfo(time_zone)
    today = utc_now().astimezone(zone).date()
    days = [
        NoticeDay(on, (today - on).days, list(of_day))
        for on, of_day in groupby(rows, lambda row: row.created_at.astimezone(zone).date())
    ]
    if before is None and (not days or days[0].on != today):
        days.insert(0, NoticeDay(today, 0, []))
    return NoticesPage(
        days=days,
        next_key=rows[-1].id if len(notices) > PER_PAGE else None,
        newest_id=notices[0].id if before is None and notices and unread_count(user_id) else None,
    )


def notice_row(notice_id: int) -> tuple[int, NoticeRow] | None:
    """(user id, row) of one notice; None where there is none."""
    notice = db.session.get(Notice, notice_id)
    return (notice.user_id, rows_of([notice])[0]) if notice is not None else None


def rows_of(notices: Collection[Notice]) -> list[NoticeRow]:
    """The rows of notices, in a handful of statements however many there are."""
    words = words_of(notices)
    return [
        NoticeRow(notice.id, notice.kind, notice.created_at, notice.read_at is not None, words[notice.id])
        for notice in notices
    ]

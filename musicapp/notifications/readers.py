"""An audience in SQL: who of it wants what, a chunk at a time, so that ten thousand readers are few statements."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select

from musicapp.accounts.models import User
from musicapp.core.db import db
from musicapp.notifications.kinds import KINDS, MAIL, OFF
from musicapp.notifications.models import NotificationPreference

CHUNK_READERS = 1000
"""Told in one transaction: about 20 ms of SQLite's write lock."""

IS_CONFIRMED = User.email_confirmed_at.is_not(None)


def frequency(kind: str, outlet: str, default: str) -> ColumnElement[str]:
    """For a statement with User in it: what that user chose, or else the default."""
    chosen = (
        select(NotificationPreference.frequency)
        .where(
            NotificationPreference.user_id == User.id,
            NotificationPreference.kind == kind,
            NotificationPreference.outlet == outlet,
        )
        .scalar_subquery()
    )
    return func.coalesce(chosen, default)


@dataclass(frozen=True, slots=True)
class Readers:
    """Those of an audience (a select of user ids) with ids after `after`, up to `upto`, whose accounts are open."""

    audience: Select[Any]
    after: int
    upto: int
    conditions: tuple[ColumnElement[bool], ...] = ()
    """On User, besides."""

    def only(self, *conditions: ColumnElement[bool]) -> Readers:
        """Those of them for whom the conditions on User hold, too."""
        return replace(self, conditions=(*self.conditions, *conditions))

    def choosing(
        self, kind: str, outlet: str, default: str, frequencies: Collection[str], *columns: ColumnElement[Any]
    ) -> Select[Any]:
        """(user id, *columns) of those who chose one of the frequencies. Columns may name User."""
        chosen = frequency(kind, outlet, default)
        return _open_accounts(select(User.id, *columns)).where(
            User.id > self.after,
            User.id <= self.upto,
            User.id.in_(self.audience),
            chosen.in_(list(frequencies)),
            *self.conditions,
        )


def readers_of_mail(kind: str, time_zone: str, after: int) -> Select[Any]:
    """Ids, in order and after `after`, of those in a time zone whom a mailing of the kind goes to.

    Whoever switched it off gets none, and an address that nobody confirmed may be a stranger's.
    """
    chosen = frequency(kind, MAIL, KINDS[kind].defaults[MAIL])
    return (
        _open_accounts(select(User.id))
        .where(User.time_zone == time_zone, User.id > after, IS_CONFIRMED, chosen != OFF)
        .order_by(User.id)
    )


def next_readers(audience: Select[Any], after: int) -> Readers | None:
    """The chunk that follows user id `after`; None at the end."""
    chunk = (
        _open_accounts(select(User.id))
        .where(User.id > after, User.id.in_(audience))
        .order_by(User.id)
        .limit(CHUNK_READERS)
        .subquery()
    )
    upto = db.session.scalar(select(func.max(chunk.c.id)))
    return None if upto is None else Readers(audience, after, upto)


def _open_accounts(found: Select[Any]) -> Select[Any]:
    return found.where(User.deleted_at.is_(None), User.suspended_at.is_(None))

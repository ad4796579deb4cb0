"""Mail: at once as a delivery of the telling's own job, or an entry that waits for the reader's next digest."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import JSON, Integer, String, cast, literal

from musicapp.accounts.models import User
from musicapp.core.db import UtcDateTime, db, insert_into, utc_now
from musicapp.jobs.context import JobContext
from musicapp.live import presence
from musicapp.notifications import posting
from musicapp.notifications.kinds import DAILY, MAIL, NOW, WEEKLY, needs_confirmed_address
from musicapp.notifications.models import Delivery, DigestEntry
from musicapp.notifications.outlets._outlet import Outlet, Telling
from musicapp.notifications.readers import IS_CONFIRMED, Readers, frequency

AWAY_SEEN_AFTER = timedelta(seconds=30)
"""Two heartbeats of the live hub: by then a page that was open is known to have been."""


class MailOutlet(Outlet):
    name = MAIL

    @property
    def words(self) -> str:
        return str(_("By mail"))

    def begins_at(self, told: Telling) -> datetime:
        return told.happened_at + AWAY_SEEN_AFTER if told.kind.only_when_away else told.happened_at

    def tell(self, told: Telling, readers: Readers) -> int:
        if needs_confirmed_address(told.kind.name):
            readers = readers.only(IS_CONFIRMED)
        if told.kind.only_when_away:
            readers = self._away(told, readers)
        return self._mail_now(told, readers) + self._wait_for_digest(told, readers)

    def finish(self, told: Telling, job: JobContext) -> dict[str, int]:
        return posting.send_waiting(job)

    def _away(self, told: Telling, readers: Readers) -> Readers:
        """Without those who had a page open since it happened: they saw it. Redis away: nobody is known to have."""
        chosen = readers.choosing(told.kind.name, self.name, self.default(told.kind), (NOW, DAILY, WEEKLY))
        ids = list(db.session.scalars(chosen))
        seen = presence.seen_at(ids) or {}
        left = [id_ for id_ in ids if id_ not in seen or seen[id_] < told.happened_at]
        return readers.only(User.id.in_(left))

    def _mail_now(self, told: Telling, readers: Readers) -> int:
        columns: dict[str, Any] = {
            "reason": literal(f"{told.reason}/", String) + cast(User.id, String),
            "job_id": literal(told.job_id, Integer),
            "kind": literal(told.kind.name, String),
            "subject_id": literal(told.subject_id, Integer),
            "arguments": literal(told.arguments, JSON),
        }
        rows = readers.choosing(told.kind.name, self.name, self.default(told.kind), (NOW,), *columns.values())
        return _add(Delivery, columns, rows)

    def _wait_for_digest(self, told: Telling, readers: Readers) -> int:
        default = self.default(told.kind)
        columns: dict[str, Any] = {
            "frequency": frequency(told.kind.name, self.name, default),
            "outlet": literal(self.name, String),
            "kind": literal(told.kind.name, String),
            "subject_id": literal(told.subject_id, Integer),
            "arguments": literal(told.arguments, JSON),
            "reason": literal(told.reason, String),
            "created_at": literal(utc_now(), UtcDateTime),
        }
        rows = readers.choosing(told.kind.name, self.name, default, (DAILY, WEEKLY), *columns.values())
        return _add(DigestEntry, columns, rows)


def _add(model: type[Delivery] | type[DigestEntry], columns: dict[str, Any], rows: Any) -> int:
    statement = insert_into(model).from_select(["user_id", *columns], rows).on_conflict_do_nothing()
    # PostgreSQL's driver knows no rowcount here.
    return len(db.session.execute(statement.returning(model.id)).all())

"""Notices on the site's own pages, and the bell of whoever has one open."""

from __future__ import annotations

from typing import Any

from flask_babel import gettext as _
from sqlalchemy import JSON, Integer, String, literal

from musicapp.core.db import UtcDateTime, db, insert_into
from musicapp.core.effects import after_commit
from musicapp.live import presence
from musicapp.live import services as live
from musicapp.notifications.kinds import NOW, PAGE
from musicapp.notifications.models import Notice
from musicapp.notifications.notices.queries import UNREAD
from musicapp.notifications.outlets._outlet import Outlet, Telling
from musicapp.notifications.readers import Readers

MOST_ROWS_SHOWN = 50
"""Of one chunk. With more people on the site at once their bells count, and the rows come with the next page: ten
thousand updates would push everything else out of the live log."""


class PageOutlet(Outlet):
    name = PAGE

    @property
    def words(self) -> str:
        return str(_("On the site"))

    def tell(self, told: Telling, readers: Readers) -> int:
        columns: dict[str, Any] = {
            "kind": literal(told.kind.name, String),
            "subject_id": literal(told.subject_id, Integer),
            "arguments": literal(told.arguments, JSON),
            "reason": literal(told.reason, String),
            "created_at": literal(told.happened_at, UtcDateTime),
        }
        rows = readers.choosing(told.kind.name, self.name, self.default(told.kind), (NOW,), *columns.values())
        statement = insert_into(Notice).from_select(["user_id", *columns], rows).on_conflict_do_nothing()
        added: list[tuple[int, int]] = [
            (row.user_id, row.id) for row in db.session.execute(statement.returning(Notice.user_id, Notice.id))
        ]
        UNREAD.drop(*(user_id for user_id, _id in added))
        after_commit(lambda: ring(dict(added)))
        return len(added)


def ring(notice_ids: dict[int, int]) -> None:
    """Shows the new notices (user id -> notice id) to those who have a page open."""
    here = presence.here(list(notice_ids))
    if here is None:  # Redis is away; what is kept for it until then is bounded
        here = list(notice_ids)[:MOST_ROWS_SHOWN]
    is_crowd = len(here) > MOST_ROWS_SHOWN
    for user_id in here:
        if is_crowd:
            live.publish_now(f"notices-{user_id}", "notice_bell", user_id, unlogged=True)
        else:
            live.publish_now(f"notices-{user_id}", "notice", notice_ids[user_id])

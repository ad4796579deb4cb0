"""The bell and the notices of open pages, and who may hear of them: whose they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import render_template

from musicapp.live.frames import Partial
from musicapp.live.registry import fragment, topic
from musicapp.notifications.notices import queries


@topic("notices")
def may_hear_notices(viewer: Any, user_id: int | None) -> bool:
    return user_id is not None and viewer.id == user_id


def bell_html(user_id: int) -> str:
    return render_template("notifications/pages/_bell.html", user_id=user_id, unread=queries.unread_count(user_id))


@fragment("notice_bell", topic="notices")
def render_bell(user_id: int) -> str:
    return bell_html(user_id)


@fragment("notice", topic="notices")
def render_new_notice(notice_id: int) -> Sequence[Partial] | None:
    """A new one: the bell counts it, and an open list has it at its top and among what its button marks as read."""
    found = queries.notice_row(notice_id)
    if found is None:
        return None
    user_id, row = found
    html = render_template("notifications/pages/_notice.html", notice=row)
    bell = Partial(f"#notice_bell-{user_id}", bell_html(user_id))
    read_all = render_template("notifications/pages/_read_all.html", newest_id=notice_id)
    return [
        bell,
        Partial("#notices-read-all", read_all),
        *Partial.append("notices-today", f"notice-{notice_id}", html, swap="afterbegin"),
    ]

"""What one was told: the list, opening one, marking as read."""

from __future__ import annotations

from flask import abort, flash, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from musicapp.accounts.identity import current_viewer, signed_in_id
from musicapp.core.db import LARGEST_ID, db, reading, row_id
from musicapp.core.pages import page, wants_fragment
from musicapp.live import services as live
from musicapp.notifications.notices import queries, services
from musicapp.notifications.routes._blueprint import blueprint

NOTICE = f"<int(max={LARGEST_ID}):notice_id>"


@blueprint.get("/notifications")
def show() -> BaseResponse:
    """Newest first, by day; `before` is where a later page begins."""
    cursor = live.current_cursor()
    before = request.args.get("before", type=row_id)
    shown = queries.notices_page(signed_in_id(), before, current_viewer().time_zone)
    return page("notifications/pages/notices_page.html", shown=shown, before=before, cursor=cursor)


@blueprint.get(f"/notifications/{NOTICE}")
def open_notice(notice_id: int) -> BaseResponse:
    """Marks it as read and leads to what it is about."""
    notice = services.open_notice(signed_in_id(), notice_id)
    if notice is None:
        abort(404)
    db.session.commit()
    return redirect(queries.rows_of([notice])[0].words.url or url_for("notifications.show"), 303)


@blueprint.post(f"/notifications/{NOTICE}/read")
def mark_read(notice_id: int) -> BaseResponse:
    """Scripts get the row as it is now; a plain form goes back to the list."""
    notice = services.open_notice(signed_in_id(), notice_id)
    if notice is None:
        abort(404)
    db.session.commit()
    if not wants_fragment():
        return redirect(url_for("notifications.show"), 303)
    with reading():
        return page("notifications/pages/_notice.html", notice=queries.rows_of([notice])[0])


@blueprint.post("/notifications/read")
def mark_all_read() -> BaseResponse:
    """Field `upto`: the newest that the page showed."""
    count = services.mark_all_read(signed_in_id(), request.form.get("upto", type=row_id))
    db.session.commit()
    flash(_("All read.") if count else _("There was nothing unread."))
    return redirect(url_for("notifications.show"), 303)

"""Links in mails that end them: without a sign-in, without a cookie, also for mail programs that post by themselves.

A GET only asks: mail programs and scanners open every link of a mail. A POST obeys and answers with a page, no redirect
(RFC 8058).
"""

from __future__ import annotations

from flask import request
from werkzeug.wrappers import Response as BaseResponse

from musicapp.core.db import db, reading
from musicapp.core.pages import page
from musicapp.core.security import for_other_sites, public
from musicapp.notifications import preferences, unsubscribing
from musicapp.notifications.routes._blueprint import blueprint


@blueprint.get("/unsubscribe/<token>")
@public
def ask_to_unsubscribe(token: str) -> BaseResponse:
    reader = unsubscribing.reader_of(token)
    if reader is None:
        return page("notifications/pages/unsubscribe_gone_page.html", 404)
    is_on = preferences.gets_mail(reader.user_id, reader.kind)
    return page("notifications/pages/unsubscribe_page.html", reader=reader, token=token, is_on=is_on)


@blueprint.post("/unsubscribe/<token>")
@public
@for_other_sites
def unsubscribe(token: str) -> BaseResponse:
    """Field `what`: kind (what the link names; also when nothing says so), all, or again to take it back."""
    with reading():
        reader = unsubscribing.reader_of(token)
    if reader is None:
        return page("notifications/pages/unsubscribe_gone_page.html", 404)
    db.session.rollback()  # it only read; what follows writes
    what = request.form.get("what", "kind")
    kind = unsubscribing.ALL if request.form.get("of", what) == "all" else reader.kind
    ended: dict[str, str] = {}
    if what == "again":
        before = {field[4:]: chosen for field, chosen in request.form.items() if field.startswith("was.")}
        preferences.resubscribe(reader.user_id, kind, before)
    else:
        ended = preferences.unsubscribe(reader.user_id, kind)
    db.session.commit()
    shown = unsubscribing.Reader(reader.user_id, kind)
    return page(
        "notifications/pages/unsubscribed_page.html", reader=shown, token=token, ended=ended, is_back=what == "again"
    )

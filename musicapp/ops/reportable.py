"""What may be reported, by whom and for which reasons."""

from __future__ import annotations

from collections.abc import Callable

from flask import abort
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from musicapp.accounts.models import User
from musicapp.catalog.queries import artist_page, may_see_album, visible_track
from musicapp.core.db import LARGEST_ID, db
from musicapp.live.registry import split_topic
from musicapp.ops.queries.reports import Subject, subjects_of
from musicapp.playlists.queries.rights import may_see

REASONS: dict[str, str] = {
    "rights": _l("It is not theirs to publish"),
    "hate": _l("Hate or a call to violence"),
    "sexual": _l("Sexual content that does not belong here"),
    "spam": _l("Spam or deceit"),
    "person": _l("It harms or exposes a person"),
    "other": _l("Something else"),
}


def subject_for(user_id: int, text: str) -> Subject:
    """What `album-3` names, for somebody who may see it. Ends the request with 404 otherwise."""
    try:
        kind, id = split_topic(text)
    except ValueError:
        abort(404)
    sees = _SEES.get(kind)
    if sees is None or id is None or id > LARGEST_ID or not sees(user_id, id):
        abort(404)
    return subjects_of([(kind, id)])[kind, id]


def problem(reason: str, words: str) -> str:
    """What is wrong with a report, in words that say what to do; "" when nothing is."""
    if reason not in REASONS:
        return str(_("Choose a reason."))
    if reason == "other" and not words:
        return str(_("Write in a few words what is wrong."))
    return ""


def _sees_user(_user_id: int, id: int) -> bool:
    there = (User.id == id, User.deleted_at.is_(None), User.suspended_at.is_(None))
    return db.session.scalar(select(User.id).where(*there)) is not None


_SEES: dict[str, Callable[[int, int], bool]] = {
    "user": _sees_user,
    "artist": lambda user_id, id: artist_page(id, user_id) is not None,
    "album": may_see_album,
    "track": lambda user_id, id: visible_track(user_id, id) is not None,
    "playlist": may_see,
}

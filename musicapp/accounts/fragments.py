"""What open pages show of a person, live; and what this room's jobs are called."""

from __future__ import annotations

from typing import Any

from flask import render_template
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from musicapp.accounts import queries
from musicapp.accounts.identity import avatar_url
from musicapp.accounts.listening import may_listen
from musicapp.core.db import LARGEST_ID
from musicapp.jobs import presenting
from musicapp.jobs.queries import JobView
from musicapp.live.registry import fragment, topic

presenting.call(resize_avatar=_l("The picture of an account"), delete_avatar=_l("Remove an old picture"))


@presenting.presents("resize_avatar")
def avatar_job_in_words(job: JobView) -> presenting.Shown:
    return presenting.Shown(presenting.words_of(job.kind), "/settings", _("Your account"))


@topic("person")
def may_hear_person(viewer: Any, user_id: int | None) -> bool:
    """Whoever may see profiles."""
    return user_id is not None and user_id <= LARGEST_ID and may_listen(viewer)


@fragment("person")
def render_person(user_id: int) -> str | None:
    person = queries.user_by_id(user_id)
    if person is None:
        return None
    return render_template("accounts/_person.html", person=person, picture=avatar_url(person.avatar_key, 320))

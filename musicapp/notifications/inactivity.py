"""Artists who have been silent: their members are reminded once for each silence, until an album ends it.

What was told stands in `artist_silences`, for good: jobs and the ledger of mails are forgotten one day.
"""

from __future__ import annotations

from datetime import datetime

from flask_babel import lazy_gettext as _l

from musicapp.core.db import db, insert_into, reading, utc_now
from musicapp.jobs.periodic import periodic
from musicapp.notifications.models import ArtistSilence
from musicapp.notifications.silence import silent_and_untold
from musicapp.notifications.telling import tell

TOLD_AT_ONCE = 200
"""Artists in one transaction."""


@periodic("notifications.remind_silent_artists", words=_l("Remind artists who have been silent"))
def remind_silent_artists() -> dict[str, int]:
    """Every ARTIST_INACTIVE_CHECK_HOURS: one telling for each artist whose silence nobody was told of yet."""
    told = 0
    while True:
        with reading():
            silent = silent_and_untold(TOLD_AT_ONCE)
            db.session.rollback()
        for artist_id, last_sign_at in silent:
            tell("artist_inactive", subject_id=artist_id, reason=_reason(artist_id, last_sign_at))
            _note_told(artist_id)
        db.session.commit()
        told += len(silent)
        if len(silent) < TOLD_AT_ONCE:
            return {"artists": told}


def _reason(artist_id: int, last_sign_at: datetime) -> str:
    return f"artist_inactive/{artist_id}/{last_sign_at:%Y%m%dT%H%M%S}"


def _note_told(artist_id: int) -> None:
    values = {"artist_id": artist_id, "told_at": utc_now()}
    statement = insert_into(ArtistSilence).values(**values)
    db.session.execute(statement.on_conflict_do_update(index_elements=["artist_id"], set_=values))

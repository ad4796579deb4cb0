"""Suggestions are made anew every night."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l

from musicapp.core.db import db, reading
from musicapp.jobs.periodic import periodic
from musicapp.recommendations import queries, services
from musicapp.recommendations.similarity import Neighbour, similar

WRITTEN_AT_ONCE = 500
"""Artists in one transaction: six thousand rows, some 50 ms of SQLite's write lock."""


# With 10,000 artists it takes half a minute of a core: no mail should stand behind it.
@periodic("recommendations.find_similar_artists", words=_l("Find artists whom the same people hear"), queue="media")
def find_similar_artists() -> dict[str, int]:
    """Nightly. Read and counted with nothing locked; an artist's suggestions change all at once."""
    with reading():
        listener_ids, artist_ids = queries.who_hears_whom()
        db.session.rollback()
    pairs, done, suggestions = len(listener_ids), set[int](), 0
    waiting: dict[int, list[Neighbour]] = {}
    for artist_id, neighbours in similar(listener_ids, artist_ids):
        waiting[artist_id] = neighbours
        if len(waiting) == WRITTEN_AT_ONCE:
            suggestions += services.put_similar(waiting)
            db.session.commit()
            done |= waiting.keys()
            waiting = {}
    suggestions += services.put_similar(waiting)
    gone = services.forget_others(done | waiting.keys())
    db.session.commit()
    return {"pairs": pairs, "artists": len(done | waiting.keys()), "suggestions": suggestions, "gone": gone}

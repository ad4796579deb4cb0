"""Effects follow the commit: what must reach the outside world waits here until its cause is stored."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from sqlalchemy import event

from musicapp.core.db import db

log = logging.getLogger(__name__)

_WAITING = "effects_after_commit"


def after_commit(effect: Callable[[], None]) -> None:
    """Runs `effect` once the current transaction is committed, never if it is rolled back.

    An effect may not use the database session and must swallow what it can do without: whoever lost the effect
    repeats it (the sweep, the live log). A failing one is logged.
    """
    db.session().info.setdefault(_WAITING, []).append(effect)


@event.listens_for(db.session, "after_commit")
def _run(session: Any) -> None:
    # SQLAlchemy also calls this when a savepoint is released; the outermost commit may still fail then.
    if session.in_nested_transaction():
        return
    for effect in session.info.pop(_WAITING, ()):
        try:
            effect()
        except Exception:
            log.exception("an effect after a commit failed")


@event.listens_for(db.session, "after_soft_rollback")
def _drop(session: Any, previous_transaction: Any) -> None:
    if not previous_transaction.nested:
        session.info.pop(_WAITING, None)

"""Addresses that mail servers refuse for good. After three refusals in a row nothing is sent there any more."""

from __future__ import annotations

from sqlalchemy import case, delete, select

from musicapp.core.db import db, insert_into, utc_now
from musicapp.notifications.models import BouncingAddress

STOPPED_AFTER_BOUNCES = 3


def bounces_of(address: str) -> tuple[int, bool]:
    """How often in a row the address was refused, and whether it is stopped."""
    row = db.session.execute(
        select(BouncingAddress.bounces, BouncingAddress.stopped_at).where(BouncingAddress.address == _key(address))
    ).one_or_none()
    return (row.bounces, row.stopped_at is not None) if row else (0, False)


def count_bounce(address: str, answer: str) -> None:
    """Counts one refusal; the third stops the address. In the current transaction."""
    now = utc_now()
    new = insert_into(BouncingAddress).values(
        address=_key(address), bounces=1, last_answer=answer, last_at=now, stopped_at=None
    )
    bounces = BouncingAddress.bounces + 1
    is_over = (bounces >= STOPPED_AFTER_BOUNCES) & BouncingAddress.stopped_at.is_(None)
    db.session.execute(
        new.on_conflict_do_update(
            index_elements=["address"],
            set_={
                "bounces": bounces,
                "last_answer": answer,
                "last_at": now,
                "stopped_at": case((is_over, now), else_=BouncingAddress.stopped_at),
            },
        )
    )


def forget_bounces(address: str) -> bool:
    """A mail arrived there, or an admin allows the address again. Whether there was anything to forget."""
    gone = db.session.execute(delete(BouncingAddress).where(BouncingAddress.address == _key(address)))
    return gone.rowcount == 1  # type: ignore[attr-defined, no-any-return]


def _key(address: str) -> str:
    # One mailbox: no server tells Alice@ from alice@.
    return address.strip().lower()[:254]

"""The end of old rows in the ledger of mails."""

from __future__ import annotations

from datetime import timedelta

from flask import current_app
from flask_babel import lazy_gettext as _l
from sqlalchemy import delete, select

from musicapp.core.db import db, utc_now
from musicapp.jobs.periodic import periodic
from musicapp.notifications.models import SENDING, WAITING, Delivery

BATCH = 1000


@periodic("notifications.purge_deliveries", words=_l("Removes old rows of the ledger of mails"))
def purge_deliveries() -> dict[str, int]:
    """Daily: removes deliveries older than MAIL_LEDGER_DAYS, a thousand at a time; none that is still to be sent."""
    old = select(Delivery.id).where(
        Delivery.created_at < utc_now() - timedelta(days=current_app.config["MAIL_LEDGER_DAYS"]),
        Delivery.state.not_in([WAITING, SENDING]),
    )
    removed = 0
    while ids := db.session.scalars(old.order_by(Delivery.created_at).limit(BATCH)).all():
        db.session.execute(delete(Delivery).where(Delivery.id.in_(ids)).execution_options(synchronize_session=False))
        db.session.commit()
        removed += len(ids)
    db.session.rollback()
    return {"mails": removed}

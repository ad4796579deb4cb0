"""The audit log: who did what at the desk."""

from __future__ import annotations

from typing import Any

from flask import has_request_context, request

from musicapp.accounts.identity import current_viewer
from musicapp.core.db import db
from musicapp.ops.models import AuditEntry


def audit(
    act: str, *, subject_kind: str = "", subject_id: int | None = None, subject_words: str = "", **details: Any
) -> None:
    """Writes an act of the signed-in admin, in the current transaction: it is stored if and only if the act is.

    `act` is "<room>.<verb>", such as "user.suspend"; `details` are ids and short strings, never a secret.
    """
    viewer = current_viewer()
    db.session.add(
        AuditEntry(
            actor_id=viewer.id,
            actor_name=viewer.username[:40],
            act=act,
            subject_kind=subject_kind,
            subject_id=subject_id,
            subject_words=subject_words[:200],
            details=details,
            ip_address=(request.remote_addr or "")[:64] if has_request_context() else "",
        )
    )

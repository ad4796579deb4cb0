"""Session rows, on a connection of their own: the request's session may be in a transaction, or must not begin one."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import select, text, update
from sqlalchemy.exc import OperationalError

from musicapp.accounts.models import User, UserSession
from musicapp.core.db import db, is_sqlite, reading, utc_now


def session_facts(token_hash: str) -> dict[str, Any] | None:
    """What identity.Viewer is made of, as JSON can carry it; None for a session that is unknown or revoked."""
    statement = (
        select(
            UserSession.id.label("session_id"),
            UserSession.last_seen_at,
            User.id,
            User.username,
            User.display_name,
            User.email_confirmed_at,
            User.role,
            User.avatar_key,
            User.time_zone,
            User.locale,
        )
        .join(User, User.id == UserSession.user_id)
        .where(
            UserSession.token_hash == token_hash,
            UserSession.revoked_at.is_(None),
            User.deleted_at.is_(None),
            User.suspended_at.is_(None),
        )
    )
    with reading(), db.engine.connect() as connection:
        row = connection.execute(statement).one_or_none()
    if row is None:
        return None
    return {
        "id": row.id,
        "username": row.username,
        "display_name": row.display_name,
        "email_confirmed": row.email_confirmed_at is not None,
        "is_admin": row.role == "admin",
        "avatar_key": row.avatar_key,
        "time_zone": row.time_zone,
        "locale": row.locale,
        "session_id": row.session_id,
        "last_seen_at": row.last_seen_at.isoformat(),
    }


def touch_session(session_id: int, at_most_every: timedelta) -> bool:
    """Writes last_seen_at and says whether it did. Never waits: while somebody else writes, the next request may."""
    now = utc_now()
    statement = (
        update(UserSession)
        .where(UserSession.id == session_id, UserSession.last_seen_at < now - at_most_every)
        .values(last_seen_at=now)
    )
    with db.engine.connect() as connection:
        try:
            if is_sqlite():
                # Waiting for SQLite's lock would stop every greenlet of this process.
                driver: Any = connection.connection.driver_connection
                patience_ms = driver.execute("PRAGMA busy_timeout").fetchone()[0]
                driver.execute("PRAGMA busy_timeout=0")
                try:
                    return _write(connection, statement)
                finally:
                    driver.execute(f"PRAGMA busy_timeout={int(patience_ms)}")
            connection.execute(text("SET LOCAL lock_timeout = '50ms'"))
            return _write(connection, statement)
        except OperationalError:
            return False


def _write(connection: Any, statement: Any) -> bool:
    written = connection.execute(statement).rowcount == 1
    connection.commit()
    return bool(written)

"""Runs migrations on the app's own engine.

On SQLite foreign keys are off meanwhile: a batch rebuild drops the old table, and with them on every child row that
cascades from it would be deleted in silence. Afterwards every key is checked.
"""

from __future__ import annotations

from alembic import context
from flask import current_app
from sqlalchemy import Connection

from musicapp.core.db import UtcDateTime, db
from musicapp.search.models import is_model_table


def _broken_keys(connection: Connection) -> list[tuple[object, ...]]:
    return [tuple(row) for row in connection.exec_driver_sql("PRAGMA foreign_key_check")]


def _plain_instants(type_: str, value: object, _context: object) -> str | bool:
    """Writes instants as plain SQL types: a migration must not change when the code does."""
    return "sa.DateTime(timezone=True)" if type_ == "type" and isinstance(value, UtcDateTime) else False


def run_migrations() -> None:
    engine = current_app.extensions["migrate"].db.engine
    is_sqlite = engine.dialect.name == "sqlite"
    with engine.connect() as connection:
        if is_sqlite:
            # A pragma inside a transaction does nothing, so it goes to the driver, past SQLAlchemy's BEGIN.
            connection.connection.driver_connection.execute("PRAGMA foreign_keys=OFF")
        try:
            context.configure(
                connection=connection,
                target_metadata=db.metadata,
                render_as_batch=is_sqlite,
                render_item=_plain_instants,
                include_name=is_model_table,
                compare_type=True,
            )
            with context.begin_transaction():
                context.run_migrations()
                if is_sqlite and (broken := _broken_keys(connection)):
                    raise RuntimeError(f"The migration would leave rows without their parents: {broken[:5]}")
        finally:
            if is_sqlite:
                connection.rollback()
                connection.connection.driver_connection.execute("PRAGMA foreign_keys=ON")


run_migrations()

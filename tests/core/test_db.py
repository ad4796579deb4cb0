from __future__ import annotations

from datetime import UTC, datetime

import pytest
from flask import Flask
from sqlalchemy.exc import IntegrityError

from musicapp.core.celery import UnknownCelerySettingError, broker_url
from musicapp.core.db import db
from musicapp.jobs.models import Job


def test_instants_come_back_in_utc(context: Flask) -> None:
    at = datetime(2026, 3, 1, 12, tzinfo=UTC)
    db.session.add(Job(kind="test", run_at=at))
    db.session.commit()
    db.session.expire_all()
    assert db.session.scalars(db.select(Job)).one().run_at == at


def test_foreign_keys_are_checked(context: Flask) -> None:
    db.session.add(Job(kind="test", owner_id=999))
    with pytest.raises(IntegrityError):
        db.session.commit()


def test_unknown_celery_setting_is_an_error_at_start(environ: dict[str, str]) -> None:
    from musicapp import create_app

    with pytest.raises(UnknownCelerySettingError, match="CELERY_CONF_TIMEZON"):
        create_app({**environ, "CELERY_CONF_TIMEZON": "Europe/Paris"})


def test_celery_setting_comes_from_the_environment(environ: dict[str, str]) -> None:
    from musicapp import create_app

    app = create_app({**environ, "CELERY_CONF_TIMEZONE": "Europe/Paris"})
    assert str(app.extensions["celery"].conf.timezone) == "Europe/Paris"


def test_unix_socket_address_is_spelled_for_the_broker() -> None:
    assert broker_url("unix://:pw@/run/r.sock?db=1") == "redis+socket://:pw@/run/r.sock?virtual_host=1"


def test_id_of_a_deleted_row_is_not_given_again(context: Flask) -> None:
    with db.engine.connect() as connection:
        for table in db.metadata.sorted_tables:
            # sqlalchemy-celery-beat's tables are as the library makes them
            if "id" in table.columns and not table.name.startswith("celery_") and db.engine.dialect.name == "sqlite":
                (made,) = connection.exec_driver_sql(
                    "SELECT sql FROM sqlite_master WHERE type = 'table' AND name = ?", (table.name,)
                ).one()
                assert "AUTOINCREMENT" in made, table.name
    first = Job(kind="test")
    db.session.add(first)
    db.session.commit()
    first_id = first.id
    db.session.delete(first)
    db.session.commit()
    second = Job(kind="test")
    db.session.add(second)
    db.session.commit()
    assert second.id > first_id

"""Celery made by the app factory: every task runs inside an application context of its own app."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from celery import Celery, Task
from celery import current_app as current_celery
from celery.app.defaults import DEFAULTS
from celery.schedules import crontab
from celery.signals import worker_process_init
from flask import Flask, current_app

from musicapp.core.db import db
from musicapp.core.tracing import traced


class UnknownCelerySettingError(ValueError):
    """A CELERY_CONF_ name that Celery does not know."""


def broker_url(redis_url: str) -> str:
    """The broker's address for a Redis address: kombu spells unix sockets its own way."""
    if redis_url.startswith("unix://"):
        parts = urlsplit(redis_url)
        query = f"?virtual_host={parts.query.removeprefix('db=')}" if parts.query.startswith("db=") else ""
        login = f":{parts.password}@" if parts.password else ""
        return f"redis+socket://{login}{parts.path}{query}"
    return redis_url


class UnreadableScheduleError(ValueError):
    """An entry of CELERY_CONF_BEAT_SCHEDULE that can't be a time; its text says what to write."""


def _time_of(name: str, said: Any) -> Any:
    """What beat takes for a schedule: {"crontab": {"hour": 8}} comes from JSON."""
    if isinstance(said, dict):
        try:
            (fields,) = (said[key] for key in said if key == "crontab")
            return crontab(**{"minute": 0, **fields} if "hour" in fields else fields)
        except (TypeError, ValueError) as error:
            raise UnreadableScheduleError(
                f"CELERY_CONF_BEAT_SCHEDULE: the time of {name!r} can't be read ({error}). "
                'Write seconds, or {"crontab": {"hour": 8, "minute": 30, "day_of_week": "mon"}}.'
            ) from None
    return said


def merged_schedule(schedule: dict[str, dict[str, Any]], added: Any) -> dict[str, dict[str, Any]]:
    """`schedule` with the entries of CELERY_CONF_BEAT_SCHEDULE: new, in the place of one of that name, or none (null).

    Raises UnreadableScheduleError.
    """
    if not isinstance(added, dict) or not all(
        entry is None or (isinstance(entry, dict) and {"task", "schedule"} <= set(entry)) for entry in added.values()
    ):
        raise UnreadableScheduleError(
            "CELERY_CONF_BEAT_SCHEDULE is no object of entries. "
            'Write {"a name": {"task": "uploads.sweep", "schedule": 600}}.'
        )
    merged = {name: entry for name, entry in {**schedule, **added}.items() if entry is not None}
    return {
        name: {"options": {"queue": "default"}, **entry, "schedule": _time_of(name, entry["schedule"])}
        for name, entry in merged.items()
    }


def create_celery(app: Flask, schedule: dict[str, dict[str, Any]]) -> Celery:
    """Makes the Celery app from the CELERY_CONF_* settings and keeps it in app.extensions["celery"].

    `schedule` is the periodic work; CELERY_CONF_BEAT_SCHEDULE adds to it or replaces entries of the same name.

    Raises UnknownCelerySettingError for a name that Celery would ignore in silence, UnreadableScheduleError.
    """

    class ContextTask(Task):  # type: ignore[misc]
        def __call__(self, *args: Any, **kwargs: Any) -> Any:
            with app.app_context(), traced(task_id=self.request.id, task=self.name):
                return self.run(*args, **kwargs)

    settings = app.config.get_namespace("CELERY_CONF_")
    unknown = sorted(set(settings) - set(DEFAULTS))
    if unknown:
        names = ", ".join("CELERY_CONF_" + name.upper() for name in unknown)
        raise UnknownCelerySettingError(
            f"Celery has no setting {names}. Its settings: https://docs.celeryq.dev/en/stable/userguide/configuration.html"
        )
    celery = Celery(app.name, task_cls=ContextTask)
    settings["beat_schedule"] = merged_schedule(schedule, settings.get("beat_schedule") or {})
    celery.config_from_object({"broker_url": broker_url(app.config["REDIS_URL"]), **settings})
    celery.set_default()
    celery.flask_app = app
    app.extensions["celery"] = celery

    return celery


@worker_process_init.connect(weak=False)  # type: ignore[untyped-decorator]
def _forget_inherited_connections(**_: Any) -> None:
    """A forked child must not use its parent's sockets: a shared one mixes up answers."""
    app: Flask = current_celery.flask_app
    with app.app_context():
        db.engine.dispose(close=False)
    app.extensions["redis"].connection_pool.reset()


def celery_app() -> Celery:
    """The running app's Celery."""
    celery: Celery = current_app.extensions["celery"]
    return celery

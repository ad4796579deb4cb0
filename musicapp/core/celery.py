"""Celery made by the app factory: every task runs inside an application context of its own app."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from celery import Celery, Task
from celery import current_app as current_celery
from celery.app.defaults import DEFAULTS
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


def create_celery(app: Flask, schedule: dict[str, dict[str, Any]]) -> Celery:
    """Makes the Celery app from the CELERY_CONF_* settings and keeps it in app.extensions["celery"].

    `schedule` is the periodic work; CELERY_CONF_BEAT_SCHEDULE adds to it or replaces entries of the same name.

    Raises UnknownCelerySettingError for a name that Celery would ignore in silence.
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
    settings["beat_schedule"] = {**schedule, **settings.get("beat_schedule", {})}
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

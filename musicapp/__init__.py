"""musicapp: artists publish albums, listeners stream them, and everything changes live."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flask import Flask
from flask_babel import Babel
from flask_migrate import Migrate

from config import load_settings
from musicapp import features
from musicapp.core.assets import init_assets
from musicapp.core.celery import create_celery
from musicapp.core.db import db, listen_to_engine
from musicapp.core.mailer import init_mailer
from musicapp.core.measuring import init_measuring
from musicapp.core.metrics import init_metrics
from musicapp.core.pages import init_pages
from musicapp.core.redis import init_redis
from musicapp.core.security import init_security
from musicapp.core.storage import init_storage
from musicapp.core.tracing import init_tracing
from musicapp.schedule import schedule

__all__ = ["create_app"]


def create_app(environ: Mapping[str, str] | None = None, **settings: Any) -> Flask:
    """Makes the app from the environment; `settings` (Flask config names) override it in tests.

    Raises config.SettingError and core.celery.UnknownCelerySettingError for settings that can't be used.
    """
    loaded = {**load_settings(environ), **settings}
    app = Flask("musicapp", instance_path=loaded["INSTANCE_PATH"], template_folder="core/templates")
    app.config.update(loaded)
    Path(app.instance_path).mkdir(parents=True, exist_ok=True)
    db.init_app(app)
    with app.app_context():
        listen_to_engine(db.engine)
    Migrate(app, db, directory="migrations", render_as_batch=True)
    Babel(app)
    init_redis(app)
    init_metrics(app)
    init_storage(app)
    init_mailer(app)
    init_security(app)
    init_pages(app)
    init_assets(app)
    features.register(app)
    create_celery(app, schedule(app.config))
    init_measuring(app)
    init_tracing(app)
    app.extensions["started_at"] = time.time()
    return app

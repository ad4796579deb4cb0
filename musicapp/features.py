"""The one list: what the app is made of. Explicit imports; to add a feature, copy the neighbour's lines."""

from __future__ import annotations

from types import ModuleType

from flask import Flask

from musicapp.accounts import models as accounts_models
from musicapp.accounts import routes as accounts_routes
from musicapp.accounts.identity import init_identity
from musicapp.catalog import models as catalog_models
from musicapp.core.limits import init_limits
from musicapp.jobs import fragments as jobs_fragments
from musicapp.jobs import handlers as jobs_handlers
from musicapp.jobs import models as jobs_models
from musicapp.jobs import routes as jobs_routes
from musicapp.jobs import tasks as jobs_tasks
from musicapp.playback import models as playback_models
from musicapp.playback import routes as playback_routes
from musicapp.uploads import fragments as uploads_fragments
from musicapp.uploads import handlers as uploads_handlers
from musicapp.uploads import models as uploads_models
from musicapp.uploads import routes as uploads_routes
from musicapp.uploads import tasks as uploads_tasks

MODELS = (accounts_models, catalog_models, jobs_models, playback_models, uploads_models)
"""All tables, so that migrations see them whatever else is imported."""

BLUEPRINTS: tuple[ModuleType, ...] = (accounts_routes, jobs_routes, playback_routes, uploads_routes)
"""Modules with a `blueprint`."""

HANDLERS: tuple[ModuleType, ...] = (jobs_handlers, uploads_handlers)
"""Modules whose functions are marked with core.events.on. A room's own handlers run before those of rooms above it."""

TASKS: tuple[ModuleType, ...] = (jobs_tasks, uploads_tasks)
"""Modules that declare Celery tasks or what is behind a kind of job (jobs.registry.job_kind)."""

FRAGMENTS: tuple[ModuleType, ...] = (jobs_fragments, uploads_fragments)
"""Modules that declare what a live update renders and who may hear a topic."""


def register(app: Flask) -> None:
    init_limits(app)
    init_identity(app)
    for module in BLUEPRINTS:
        app.register_blueprint(module.blueprint)
    handlers: dict[type, list[object]] = {}
    for module in HANDLERS:
        for function in vars(module).values():
            # A handler imported into another module must not run twice.
            if getattr(function, "__module__", None) == module.__name__:
                for event_type in getattr(function, "__events__", ()):
                    handlers.setdefault(event_type, []).append(function)
    app.extensions["event_handlers"] = handlers

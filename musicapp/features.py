"""The one list: what the app is made of. Explicit imports; to add a feature, copy the neighbour's lines."""

from __future__ import annotations

from types import ModuleType

from flask import Flask

from musicapp.accounts import models as accounts_models
from musicapp.catalog import models as catalog_models
from musicapp.jobs import models as jobs_models
from musicapp.playback import models as playback_models
from musicapp.uploads import models as uploads_models

MODELS = (accounts_models, catalog_models, jobs_models, playback_models, uploads_models)
"""All tables, so that migrations see them whatever else is imported."""

BLUEPRINTS: tuple[ModuleType, ...] = ()
"""Modules with a `blueprint`."""

HANDLERS: tuple[ModuleType, ...] = ()
"""Modules whose functions are marked with core.events.on."""


def register(app: Flask) -> None:
    for module in BLUEPRINTS:
        app.register_blueprint(module.blueprint)
    handlers: dict[type, list[object]] = {}
    for module in HANDLERS:
        for function in vars(module).values():
            for event_type in getattr(function, "__events__", ()):
                handlers.setdefault(event_type, []).append(function)
    app.extensions["event_handlers"] = handlers

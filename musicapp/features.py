"""The one list: what the app is made of. Explicit imports; to add a feature, copy the neighbour's lines."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType

from flask import Flask

from musicapp.accounts import cli as accounts_cli
from musicapp.accounts import fragments as accounts_fragments
from musicapp.accounts import handlers as accounts_handlers
from musicapp.accounts import models as accounts_models
from musicapp.accounts import routes as accounts_routes
from musicapp.accounts import tasks as accounts_tasks
from musicapp.accounts.identity import init_identity
from musicapp.browse import cli as browse_cli
from musicapp.browse import fragments as browse_fragments
from musicapp.browse import handlers as browse_handlers
from musicapp.browse import routes as browse_routes
from musicapp.catalog import fragments as catalog_fragments
from musicapp.catalog import handlers as catalog_handlers
from musicapp.catalog import models as catalog_models
from musicapp.catalog import routes as catalog_routes
from musicapp.catalog import tasks as catalog_tasks
from musicapp.catalog.queries.export import albums_for_export, artists_for_export
from musicapp.core.limits import init_limits
from musicapp.jobs import cli as jobs_cli
from musicapp.jobs import fragments as jobs_fragments
from musicapp.jobs import handlers as jobs_handlers
from musicapp.jobs import models as jobs_models
from musicapp.jobs import routes as jobs_routes
from musicapp.jobs import tasks as jobs_tasks
from musicapp.library import fragments as library_fragments
from musicapp.library import handlers as library_handlers
from musicapp.library import models as library_models
from musicapp.library import routes as library_routes
from musicapp.library.queries import follows_of_user, likes_of_user
from musicapp.live import routes as live_routes
from musicapp.live.figures import init_live_figures
from musicapp.notifications import digests as notifications_digests
from musicapp.notifications import figures as notifications_figures
from musicapp.notifications import fragments as notifications_fragments
from musicapp.notifications import handlers as notifications_handlers
from musicapp.notifications import inactivity as notifications_inactivity
from musicapp.notifications import job_words as notifications_job_words
from musicapp.notifications import models as notifications_models
from musicapp.notifications import newsletter as notifications_newsletter
from musicapp.notifications import purge as notifications_purge
from musicapp.notifications import routes as notifications_routes
from musicapp.notifications import sittings as notifications_sittings
from musicapp.notifications import tasks as notifications_tasks
from musicapp.notifications import telling as notifications_telling
from musicapp.notifications.announcements import fragments as announcements_fragments
from musicapp.notifications.announcements import handlers as announcements_handlers
from musicapp.notifications.announcements import routes as announcements_routes
from musicapp.ops import cli as ops_cli
from musicapp.ops import fragments as ops_fragments
from musicapp.ops import handlers as ops_handlers
from musicapp.ops import models as ops_models
from musicapp.ops import routes as ops_routes
from musicapp.ops import tasks as ops_tasks
from musicapp.ops import walk as ops_walk
from musicapp.playback import fragments as playback_fragments
from musicapp.playback import handlers as playback_handlers
from musicapp.playback import models as playback_models
from musicapp.playback import routes as playback_routes
from musicapp.playback import tasks as playback_tasks
from musicapp.playback.lane import init_lane
from musicapp.playback.play_queue import fragments as play_queue_fragments
from musicapp.playback.play_queue import routes as play_queue_routes
from musicapp.playback.queries import plays_of_user
from musicapp.playlists import fragments as playlists_fragments
from musicapp.playlists import handlers as playlists_handlers
from musicapp.playlists import models as playlists_models
from musicapp.playlists import routes as playlists_routes
from musicapp.playlists import tasks as playlists_tasks
from musicapp.playlists.queries import playlists_for_export
from musicapp.recommendations import models as recommendations_models
from musicapp.recommendations import tasks as recommendations_tasks
from musicapp.search import cli as search_cli
from musicapp.search import handlers as search_handlers
from musicapp.search import models as search_models
from musicapp.search import tasks as search_tasks
from musicapp.stats import models as stats_models
from musicapp.stats import tasks as stats_tasks
from musicapp.uploads import fragments as uploads_fragments
from musicapp.uploads import handlers as uploads_handlers
from musicapp.uploads import models as uploads_models
from musicapp.uploads import routes as uploads_routes
from musicapp.uploads import tasks as uploads_tasks

MODELS = (
    accounts_models,
    catalog_models,
    jobs_models,
    library_models,
    notifications_models,
    ops_models,
    playback_models,
    playlists_models,
    recommendations_models,
    search_models,
    stats_models,
    uploads_models,
)
"""All tables, so that migrations see them whatever else is imported."""

BLUEPRINTS: tuple[ModuleType, ...] = (
    accounts_routes,
    jobs_routes,
    live_routes,
    playback_routes,
    play_queue_routes,
    playlists_routes,
    library_routes,
    uploads_routes,
    notifications_routes,
    announcements_routes,
    catalog_routes,
    browse_routes,
    ops_routes,
)
"""Modules with a `blueprint`."""

HANDLERS: tuple[ModuleType, ...] = (
    jobs_handlers,
    accounts_handlers,
    catalog_handlers,
    search_handlers,
    uploads_handlers,
    playback_handlers,
    playlists_handlers,
    library_handlers,
    notifications_handlers,
    announcements_handlers,
    browse_handlers,
    ops_handlers,
)
"""Modules whose functions are marked with core.events.on. A room's own handlers run before those of rooms above it."""

TASKS: tuple[ModuleType, ...] = (
    accounts_tasks,
    catalog_tasks,
    jobs_tasks,
    uploads_tasks,
    playback_tasks,
    playlists_tasks,
    search_tasks,
    notifications_tasks,
    notifications_telling,
    notifications_digests,
    notifications_sittings,
    notifications_newsletter,
    notifications_inactivity,
    notifications_figures,
    notifications_purge,
    stats_tasks,
    recommendations_tasks,
    ops_tasks,
    ops_walk,
)
"""Modules that declare Celery tasks or what is behind a kind of job (jobs.registry.job_kind)."""

FRAGMENTS: tuple[ModuleType, ...] = (
    jobs_fragments,
    accounts_fragments,
    catalog_fragments,
    uploads_fragments,
    playback_fragments,
    play_queue_fragments,
    playlists_fragments,
    library_fragments,
    announcements_fragments,
    notifications_job_words,
    notifications_fragments,
    browse_fragments,
    ops_fragments,
)
"""Modules that declare what a live update renders and who may hear a topic."""

COMMANDS: tuple[ModuleType, ...] = (accounts_cli, jobs_cli, browse_cli, search_cli, ops_cli)
"""Modules with a click `group`, or several `commands`."""

EXPORT_SECTIONS: tuple[tuple[str, Callable[[int], object]], ...] = (
    ("artists", artists_for_export),
    ("albums", albums_for_export),
    ("plays", plays_of_user),
    ("playlists", playlists_for_export),
    ("likes", likes_of_user),
    ("follows", follows_of_user),
)
"""What an account export holds besides the account itself: name and function of a user's id. JSON, dates allowed."""


def register(app: Flask) -> None:
    init_limits(app)
    init_identity(app)
    init_lane(app)
    init_live_figures(app)
    for module in BLUEPRINTS:
        app.register_blueprint(module.blueprint)
    for module in COMMANDS:
        for command in getattr(module, "commands", None) or (module.group,):
            app.cli.add_command(command)
    app.extensions["export_sections"] = EXPORT_SECTIONS
    handlers: dict[type, list[object]] = {}
    for module in HANDLERS:
        for function in vars(module).values():
            # A handler imported into another module must not run twice.
            if getattr(function, "__module__", None) == module.__name__:
                for event_type in getattr(function, "__events__", ()):
                    handlers.setdefault(event_type, []).append(function)
    app.extensions["event_handlers"] = handlers

"""Queues and workers: what waits, how fast it goes, who works at it."""

from __future__ import annotations

from flask import Response

from musicapp.jobs.presenting import words_of
from musicapp.ops.admin import admin_only, admin_page
from musicapp.ops.queries.queues import queues as find_queues
from musicapp.ops.queries.workers import workers as find_workers
from musicapp.ops.routes._blueprint import blueprint


@blueprint.get("/admin/queues")
@admin_only
def queues() -> Response:
    return admin_page("ops/queues_page.html", found=find_queues(), words_of=words_of)


@blueprint.get("/admin/workers")
@admin_only
def workers() -> Response:
    return admin_page("ops/workers_page.html", found=find_workers())

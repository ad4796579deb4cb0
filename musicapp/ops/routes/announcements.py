"""Announcements to everybody: written, previewed and sent like an artist's, and every act is in the audit log."""

from __future__ import annotations

from typing import Any

from flask import Response

from musicapp.accounts.identity import current_viewer
from musicapp.notifications.announcements import queries
from musicapp.notifications.announcements.doors import AnnouncementDoors
from musicapp.ops.admin import admin_only
from musicapp.ops.audit import audit
from musicapp.ops.navigation import groups
from musicapp.ops.routes._blueprint import blueprint


class DeskDoors(AnnouncementDoors):
    """For admins."""

    base = "/admin/announcements"
    frame = "ops/desk_layout.html"

    def artist_asked_for(self) -> None:
        return None

    def may_open(self, announcement_id: int) -> bool:
        return not queries.is_of_artist(announcement_id) and queries.may_open(current_viewer(), announcement_id)

    def acted(self, act: str, announcement_id: int) -> None:
        told = queries.told(announcement_id)
        title = told.title if told else ""
        audit(f"announcement.{act}", subject_kind="announcement", subject_id=announcement_id, subject_words=title)

    def draw(self, template: str, status: int = 200, **context: Any) -> Response:
        return super().draw(template, status, desk_nav=groups(), **context)


DeskDoors().add_to(blueprint, guard=admin_only)

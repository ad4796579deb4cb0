"""Health, and the pages of the desk, one file each, on one blueprint."""

from musicapp.ops.routes import (
    albums,
    announcements,
    artists,
    audit,
    desk,
    health,
    mail,
    metrics,
    reports,
    storage,
    users,
)
from musicapp.ops.routes._blueprint import blueprint

__all__ = [
    "albums",
    "announcements",
    "artists",
    "audit",
    "blueprint",
    "desk",
    "health",
    "mail",
    "metrics",
    "reports",
    "storage",
    "users",
]

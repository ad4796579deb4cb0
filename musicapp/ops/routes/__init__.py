"""Health, and the pages of the desk, one file each, on one blueprint."""

from musicapp.ops.routes import albums, artists, audit, desk, health, reports, storage, users
from musicapp.ops.routes._blueprint import blueprint

__all__ = ["albums", "artists", "audit", "blueprint", "desk", "health", "reports", "storage", "users"]

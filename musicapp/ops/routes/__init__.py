"""Health, and the pages of the desk, one file each, on one blueprint."""

from musicapp.ops.routes import desk, health
from musicapp.ops.routes._blueprint import blueprint

__all__ = ["blueprint", "desk", "health"]

"""What the desk shows, one file per page."""

from musicapp.ops.queries.health import Readiness, readiness

__all__ = ["Readiness", "readiness"]

"""Who may hear of a library."""

from __future__ import annotations

"""Background work of the index."""

from __future__ import annotations

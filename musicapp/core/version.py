"""Which musicapp this is."""

from __future__ import annotations

VERSION = "0.1.0"
"""As pyproject.toml says it, which stands in no container."""

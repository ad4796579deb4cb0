"""The index from the terminal."""

from __future__ import annotations

from flask.cli import AppGroup

group = AppGroup("search", help="The search index.")

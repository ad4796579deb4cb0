"""The index from the terminal."""

from __future__ import annotations

import click
from flask.cli import AppGroup

from musicapp.core.db import db
from musicapp.search import services

group = AppGroup("search", help="The search index.")


@group.command("rebuild")
def rebuild() -> None:
    """Make the index say what the library holds. People search meanwhile; a stopped run may be started again."""
    counts = services.rebuild(after_batch=db.session.commit)
    click.echo("Found by searching: " + ", ".join(f"{count} {kind}" for kind, count in counts.items()))

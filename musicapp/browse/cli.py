"""`flask --app wsgi demo`: a small made-up library for a newcomer to look at."""

from __future__ import annotations

import secrets

import click
from flask import current_app
from flask.cli import AppGroup
from flask_migrate import upgrade
from sqlalchemy import inspect

from musicapp.accounts.passwords import hash_password
from musicapp.core.db import db


@click.group("demo", cls=AppGroup, invoke_without_command=True)
@click.pass_context
def group(context: click.Context) -> None:
    """Fill the site with a small made-up library: one artist, two albums of computed music with covers."""
    if context.invoked_subcommand is None:
        context.invoke(create)


@group.command("create")
@click.option("--password", default=None, help="Of the user demo; one is made up and printed when left out.")
def create(password: str | None) -> None:
    """Compute the music, draw the covers, upload both and publish them. A second time nothing is added."""
    from musicapp.browse.demo import library  # a sixth of every process's start, for this one command

    if not inspect(db.engine).has_table("users"):
        upgrade()  # an empty database: nothing is there that a migration could hurt
    if library.is_there():
        click.echo(f"The demo's library is there already: {current_app.config['SITE_URL']}/")
        return
    db.session.rollback()  # a hash takes its time, and no transaction may wait for it
    chosen = password or secrets.token_urlsafe(9)
    for line in library.add_library(hash_password(chosen)):
        click.echo(line)
    click.echo(f"Log in as {library.USERNAME} with the password {chosen}: {current_app.config['SITE_URL']}/login")

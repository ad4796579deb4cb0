"""`flask --app wsgi user …`: what operators do with people from the terminal."""

from __future__ import annotations

import click
from flask import current_app
from flask.cli import AppGroup

from musicapp.accounts import queries, services
from musicapp.accounts.forms import Errors, RegisterForm, check_new_password, read_email
from musicapp.accounts.passwords import hash_password
from musicapp.core.db import db

group = AppGroup("user", help="Accounts: make an admin, invite somebody, set a password.")

_password = click.option(
    "--password",
    envvar="MUSICAPP_PASSWORD",
    prompt=True,
    hide_input=True,
    confirmation_prompt=True,
    help="Asked for when left out. Where others can see the process list, use the variable MUSICAPP_PASSWORD.",
)


def _refuse(errors: Errors) -> None:
    if errors:
        raise click.ClickException(" ".join(f"{name}: {words}" for name, words in errors.items()))


@group.command("create-admin")
@click.option("--username", prompt=True)
@click.option("--email", prompt=True)
@_password
def create_admin(username: str, email: str, password: str) -> None:
    """Make an account that may administer the site. Its address counts as confirmed."""
    form = RegisterForm.read({"username": username, "email": email, "password": password})
    _refuse(form.errors)
    password_hash = hash_password(form.password)
    try:
        services.register(
            username=form.username,
            email=form.email,
            password_hash=password_hash,
            role="admin",
            is_email_confirmed=True,
        )
    except services.NameTakenError as error:
        db.session.rollback()
        form.say_taken(error.fields)
        _refuse(form.errors)
    db.session.commit()
    click.echo(f"{form.username} is an admin now.")


@group.command("invite")
@click.option("--email", default=None, help="Only this address may use the invitation.")
def invite(email: str | None) -> None:
    """Print a link that lets one person register, also where REGISTRATION=invitation."""
    errors: Errors = {}
    if email:
        email = read_email({"email": email}, "email", errors)
    _refuse(errors)
    token = services.invite(email=email)
    db.session.commit()
    click.echo(f"{current_app.config['SITE_URL']}/register?invitation={token}")
    click.echo(f"It works once, within {services.INVITATION_DAYS} days.", err=True)


@group.command("reset-password")
@click.argument("username")
@_password
def reset_password(username: str, password: str) -> None:
    """Set somebody's password and sign all their devices out. USERNAME may be an e-mail address."""
    errors: Errors = {}
    check_new_password(password, errors)
    _refuse(errors)
    facts = queries.sign_in_facts(username)
    db.session.rollback()
    if facts is None:
        raise click.ClickException(f"There is no account {username!r}.")
    new_hash = hash_password(password)
    services.set_password(facts.user_id, new_hash)
    db.session.commit()
    click.echo(f"The password of {username} is set, and every device is signed out.")

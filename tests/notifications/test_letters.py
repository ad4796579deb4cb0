from __future__ import annotations

import email
import email.policy
import re
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from musicapp.accounts import services as accounts
from musicapp.accounts.models import User
from musicapp.accounts.tokens import read_confirm_token, read_reset_token
from musicapp.catalog.services import delete_album
from musicapp.core.db import db, utc_now
from musicapp.jobs import services as jobs
from musicapp.jobs.models import Job
from musicapp.jobs.runner import run_next
from musicapp.notifications.letters import WRITERS
from musicapp.notifications.posting import MAX_ATTEMPTS, retry_delay_seconds
from musicapp.notifications.tasks import ONE_MAIL
from tests.notifications.conftest import Cast


def _add(kind: str, cast: Cast) -> int:
    """A job of the kind, as its handler would add it."""
    subject_id = cast.album_id if kind == "mail_album_created" else cast.user_id
    arguments = {"user_id": cast.user_id, "old_email": "old@example.com"}
    job_id = jobs.add(kind, subject_id=subject_id, owner_id=cast.user_id, arguments=arguments)
    db.session.commit()
    return job_id


def _run(kind: str) -> None:
    while run_next(kind) is not None:
        pass


def _mails(app: Flask) -> list[EmailMessage]:
    mails = []
    for path in sorted(Path(app.config["INSTANCE_PATH"], "mail").glob("*.eml")):
        mail = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
        assert isinstance(mail, EmailMessage)
        mails.append(mail)
    return mails


def _text(mail: EmailMessage, kind: str = "plain") -> str:
    part = mail.get_body((kind,))
    assert isinstance(part, EmailMessage), f"no {kind} part"
    return str(part.get_content())


@pytest.mark.parametrize("kind", sorted(f"mail_{name}" for name in ONE_MAIL))
def test_every_mail_has_subject_text_and_html(kind: str, context: Flask, cast: Cast) -> None:
    db.session.execute(db.delete(Job))
    _add(kind, cast)
    _run(kind)
    (mail,) = _mails(context)
    assert mail["Subject"].strip()
    assert mail["To"] == ("old@example.com" if kind == "mail_email_changed" else "alice@example.com")
    assert mail["Auto-Submitted"] == "auto-generated"
    assert len(_text(mail)) > 80
    assert "<table" in _text(mail, "html")
    for words in ("{{", "{%", "None", "&amp;", "&#"):
        assert words not in _text(mail)
    assert "http://localhost/" in _text(mail)
    assert "http://localhost/" in _text(mail, "html")
    assert not re.search(r'(href|src)="/', _text(mail, "html")), "an address that only a browser of ours could follow"


def test_a_created_album_is_congratulated_once(context: Flask, cast: Cast) -> None:
    _run("mail_album_created")
    (mail,) = _mails(context)
    assert mail["Subject"] == "Congratulations on “Morgenröte”"
    assert f"http://localhost/albums/{cast.album_id}" in _text(mail)
    assert "Ala & Söhne" in _text(mail)
    assert "Ala &amp; Söhne" in _text(mail, "html")

    from musicapp.catalog.events import AlbumCreated
    from musicapp.core.events import publish

    publish(AlbumCreated(cast.album_id, cast.user_id))
    db.session.commit()
    assert run_next("mail_album_created") is None


def test_an_album_that_is_not_stored_has_no_mail(context: Flask, cast: Cast) -> None:
    from musicapp.catalog.services import create_album

    before = len(db.session.scalars(select(Job.id)).all())
    create_album(artist_id=1, title="Draft", user_id=cast.user_id)
    db.session.rollback()
    assert len(db.session.scalars(select(Job.id)).all()) == before


def test_a_mail_sent_again_after_a_crash_is_the_same_mail(context: Flask, cast: Cast) -> None:
    _run("mail_album_created")
    (first,) = _mails(context)
    job = db.session.scalars(select(Job).where(Job.kind == "mail_album_created")).one()
    job.state = "queued"  # the worker died between handing over and writing that down
    db.session.commit()
    _run("mail_album_created")
    (second,) = _mails(context)
    assert first["Message-ID"] == second["Message-ID"]


def test_a_deleted_album_is_not_congratulated(context: Flask, cast: Cast) -> None:
    delete_album(cast.album_id)
    db.session.commit()
    _run("mail_album_created")
    assert _mails(context) == []
    assert db.session.scalars(select(Job).where(Job.kind == "mail_album_created")).one().result == {"sent": False}


def test_links_carry_tokens_that_are_stored_nowhere(context: Flask, cast: Cast) -> None:
    accounts.request_email_confirmation(cast.user_id)
    accounts.request_password_reset("ALICE@example.com")
    db.session.commit()
    _run("mail_confirm_address")
    _run("mail_reset_password")
    confirm, reset = "", ""
    for mail in _mails(context):
        confirm = confirm or "".join(re.findall(r"/confirm/(\S+)", _text(mail)))
        reset = reset or "".join(re.findall(r"/reset/(\S+)", _text(mail)))
    assert read_confirm_token(confirm) == (cast.user_id, "alice@example.com")
    found = read_reset_token(reset)
    assert found is not None
    assert found[0] == cast.user_id
    stored = [str((job.arguments, job.result, job.error)) for job in db.session.scalars(select(Job))]
    assert not [row for row in stored if confirm in row or reset in row]


def test_a_confirmed_address_gets_no_link(context: Flask, cast: Cast) -> None:
    accounts.request_email_confirmation(cast.user_id)
    db.session.get_one(User, cast.user_id).email_confirmed_at = utc_now()
    db.session.commit()
    _run("mail_confirm_address")
    assert _mails(context) == []


def test_a_new_address_gets_the_link_and_the_old_one_a_note(context: Flask, cast: Cast) -> None:
    accounts.request_email_change(cast.user_id, "new@example.com")
    db.session.commit()
    _run("mail_confirm_address")
    (link,) = _mails(context)
    assert link["To"] == "new@example.com"
    assert accounts.confirm_email(cast.user_id, "new@example.com")
    db.session.commit()
    _run("mail_email_changed")
    note = next(mail for mail in _mails(context) if mail["To"] == "alice@example.com")
    assert "new@example.com" in _text(note)


def test_mails_are_tried_again_for_two_days() -> None:
    delays = [retry_delay_seconds(attempt) for attempt in range(1, MAX_ATTEMPTS)]
    assert delays[0] == 10
    assert max(delays) == 3600
    assert timedelta(days=2) < timedelta(seconds=sum(delays)) < timedelta(days=3)


def test_every_mail_kind_has_its_templates(context: Flask) -> None:
    names = set(context.jinja_env.list_templates(filter_func=lambda name: name.startswith("notifications/")))
    for name in WRITERS:
        assert {f"notifications/{name}.txt", f"notifications/{name}.html"} <= names

"""What becomes of a mail at a real SMTP server: one that takes it, refuses it, is away, or never answers."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from musicapp.core.db import db, utc_now
from musicapp.jobs import services as jobs
from musicapp.jobs.context import JobContext
from musicapp.jobs.models import Job
from musicapp.jobs.registry import KINDS, JobKind
from musicapp.jobs.runner import run_next
from musicapp.jobs.tasks import work
from tests.notifications.conftest import make_cast
from tests.servers import MailSink

# The statements behind a mail are tried on both databases in test_posting.py.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

KIND = "mail_album_created"


def _job() -> Job:
    db.session.rollback()
    return db.session.scalars(select(Job).where(Job.kind == KIND)).one()


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A server that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def test_an_accepted_mail_arrives_whole(smtp_app: Flask, mail_sink: MailSink) -> None:
    title = "Über den Wolken 空の上 " + "und immer weiter " * 15
    cast = make_cast(title.strip())
    run_next(KIND)
    (mail,) = mail_sink.to("alice@example.com")
    assert mail["Subject"] == f"Congratulations on “{title.strip()}”"
    assert mail["From"] == "musicapp <musicapp@localhost>"
    assert mail["Message-ID"].endswith("@localhost>")
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text is not None
    assert html is not None
    assert title.strip() in text.get_content()
    assert f"/albums/{cast.album_id}" in html.get_content()
    assert max(len(line) for line in mail.as_bytes().splitlines()) < 998
    job = _job()
    assert (job.state, job.result) == ("succeeded", {"sent": True, "message_id": mail["Message-ID"]})


@pytest.mark.parametrize("answer", ["451 try later", "421 too busy"])
def test_later_means_later(smtp_app: Flask, mail_sink: MailSink, answer: str) -> None:
    make_cast()
    mail_sink.answer = answer
    run_next(KIND)
    job = _job()
    assert job.state == "queued"
    assert 5 < (job.run_at - utc_now()).total_seconds() <= 10
    assert answer in (job.error or "")
    assert run_next(KIND) is None, "not before its time"

    mail_sink.answer = ""
    job = _job()
    job.run_at = utc_now()
    db.session.commit()
    run_next(KIND)
    assert _job().state == "succeeded"
    assert len(mail_sink.messages) == 1


def test_a_mail_that_somebody_waits_for_goes_before_what_a_ticket_names(
    smtp_app: Flask, mail_sink: MailSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_cast()
    seen: list[int] = []

    def wait(_job: JobContext) -> None:
        seen.append(len(mail_sink.messages))

    patient = JobKind("patient", "default", 3, wait)
    monkeypatch.setitem(KINDS, "patient", patient)
    jobs.add("patient")
    db.session.commit()
    work("patient")
    assert seen == [1]


def test_never_means_never(smtp_app: Flask, mail_sink: MailSink) -> None:
    make_cast()
    mail_sink.answer = "554 no thank you"
    run_next(KIND)
    job = _job()
    assert job.state == "failed"
    assert "554 no thank you" in (job.error or "")


def test_a_server_that_is_down_keeps_the_mail_waiting(smtp_app: Flask, mail_sink: MailSink) -> None:
    make_cast()
    mail_sink.stop()
    run_next(KIND)
    job = _job()
    assert job.state == "queued"
    assert "could not be reached" in (job.error or "")


def test_a_server_that_never_answers_is_given_up_on(smtp_app: Flask, silent_port: int) -> None:
    make_cast()
    smtp_app.extensions["mail"].port = silent_port
    began_at = utc_now()
    run_next(KIND)
    assert (utc_now() - began_at).total_seconds() < 5
    job = _job()
    assert job.state == "queued"
    assert "could not be reached" in (job.error or "")


def test_a_server_that_hangs_up_after_accepting_gets_no_second_copy(
    smtp_app: Flask, mail_sink: MailSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_cast()

    async def hang_up(server: Any, _session: object, _envelope: object) -> str:
        server.transport.abort()
        return "221 bye"

    monkeypatch.setattr(mail_sink, "handle_QUIT", hang_up, raising=False)
    run_next(KIND)
    assert _job().state == "succeeded"
    assert len(mail_sink.messages) == 1


def test_no_transaction_is_open_while_the_server_thinks(
    smtp_app: Flask, mail_sink: MailSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_cast()
    seen: list[bool] = []
    accept = mail_sink.handle_DATA
    session = db.session()

    async def look(server: Any, smtp_session: Any, envelope: Any) -> str:
        seen.append(session.in_transaction())
        return await accept(server, smtp_session, envelope)

    monkeypatch.setattr(mail_sink, "handle_DATA", look)
    run_next(KIND)
    assert seen == [False]

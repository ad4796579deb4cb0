"""The connection to the mail server: whom it trusts, and what it makes of a server that says no to us."""

from __future__ import annotations

import email
import email.policy
import shutil
import ssl
import subprocess
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from musicapp.core.mailer import MailError, OutgoingMail, ServerAwayError, init_mailer, outbox, send_mail
from tests.notifications.hostile_sink import HostileSink

MAIL: dict[str, Any] = {
    "to": "ann@example.org",
    "subject": "Tëst",
    "text": "Hello",
    "html": "<p>Hello</p>",
    "message_id": "<1@x>",
}


@pytest.fixture
def sink() -> Iterator[HostileSink]:
    sink = HostileSink()
    yield sink
    sink.stop()


@pytest.fixture
def app(sink: HostileSink) -> Iterator[Flask]:
    """Settings and the mailer; no database."""
    app = Flask("test")
    app.config.update(MAIL_SERVER="localhost", MAIL_PORT=sink.port, MAIL_DEFAULT_SENDER="musicapp@localhost")
    app.config.update(MAIL_TIMEOUT_SECONDS=5, MAIL_PER_CONNECTION=100, MAIL_USE_TLS=True)
    init_mailer(app)
    with app.app_context():
        yield app


@pytest.fixture
def certificate(tmp_path: Path, sink: HostileSink) -> Path:
    """The sink's own, for "localhost", which nobody signed."""
    if not shutil.which("openssl"):
        pytest.skip("openssl, which makes the certificate of this test, is not on PATH")
    key, path = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=localhost"]
        + ["-addext", "subjectAltName=DNS:localhost", "-keyout", str(key), "-out", str(path)],
        check=True,
        capture_output=True,
    )
    sink.tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    sink.tls.load_cert_chain(path, key)
    return path


def test_a_certificate_that_nobody_signed_gets_no_mail(app: Flask, sink: HostileSink, certificate: Path) -> None:
    sink.start()
    with pytest.raises(ServerAwayError, match="certificate verify failed"):
        send_mail(**MAIL)
    assert sink.seen == []


def test_a_certificate_of_a_trusted_name_does_and_another_name_does_not(
    app: Flask, sink: HostileSink, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    sink.start()
    assert send_mail(**MAIL) == "250 kept"
    app.extensions["mail"].server = "127.0.0.1"
    with pytest.raises(ServerAwayError, match="certificate is not valid"):
        send_mail(**MAIL)
    assert [str(mail["Subject"]) for mail in sink.messages] == ["Tëst"]


def test_a_server_without_tls_gets_no_mail_where_tls_is_asked_for(app: Flask, sink: HostileSink) -> None:
    sink.start()
    with pytest.raises(ServerAwayError, match="STARTTLS"):
        send_mail(**MAIL)
    assert sink.seen == []


def test_a_line_break_in_a_header_is_refused_before_anything_is_said(app: Flask, sink: HostileSink) -> None:
    app.extensions["mail"].use_tls = False
    sink.start()
    for broken in ({"subject": "a\nBcc: all@example.org"}, {"headers": {"List-Id": "a\r\nBcc: all@example.org"}}):
        with pytest.raises(MailError, match="line break") as caught:
            send_mail(**{**MAIL, **broken})
        assert caught.value.permanent
    assert sink.connection_count == 0


def test_a_connection_whose_first_mail_was_refused_is_used_again_or_replaced(app: Flask, sink: HostileSink) -> None:
    app.extensions["mail"].use_tls = False
    sink.at_rcpt = {"gone@example.org": "550 5.1.1 nobody"}
    sink.start()
    with outbox() as out:
        with pytest.raises(MailError, match="550") as caught:
            out.send(OutgoingMail(**{**MAIL, "to": "gone@example.org"}))
        assert (caught.value.permanent, caught.value.is_bounce) == (True, True)
        assert caught.value.answer == "550 5.1.1 nobody"
        out.send(OutgoingMail(**MAIL))
        assert sink.connection_count == 1
        sink.once, sink.after_keeping = True, {"": "drop"}
        out.send(OutgoingMail(**MAIL))
        out.send(OutgoingMail(**MAIL))
    assert (sink.connection_count, len(sink.messages)) == (2, 3)


def test_headers_stand_in_one_line_as_mail_programs_read_them(app: Flask, tmp_path: Path) -> None:
    app.config.update(MAIL_SERVER=None, INSTANCE_PATH=str(tmp_path))
    address = "<https://music.example.org/unsubscribe/" + "a1.B-" * 60 + ">"
    mail = {**MAIL, "text": "Line\r\n.\nä" + "x" * 2000, "headers": {"List-Unsubscribe": address}}
    send_mail(**mail)
    [written] = [file.read_bytes() for file in (tmp_path / "mail").iterdir()]
    assert f"\r\nList-Unsubscribe: {address}\r\n".encode() in written
    assert b"Subject: =?utf-8?" in written
    lines = written.split(b"\r\n")
    assert max(map(len, lines)) < 998
    assert not [line for line in lines if b"\n" in line]
    read = email.message_from_bytes(written, policy=email.policy.default)
    assert isinstance(read, EmailMessage)
    body = read.get_body(("plain",))
    assert body is not None
    assert body.get_content().splitlines() == ["Line", ".", "ä" + "x" * 2000]

"""Mail leaves here: Flask-Mail over SMTP, or .eml files in the instance folder where no server is set.

Flask-Mail 0.10 has no time-out, does not check certificates and sends lines past 998 bytes; all three are mended here.
"""

from __future__ import annotations

import email.charset
import os
import smtplib
import socket
import ssl
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import flask_mail
from flask import Flask, current_app
from flask_mail import Connection, Mail, Message

# Flask-Mail sets utf-8 to 8bit on import, and servers refuse lines past 998 bytes.
email.charset.add_charset("utf-8", email.charset.SHORTEST, email.charset.QP, "utf-8")


class MailError(Exception):
    """A mail could not be handed over. `permanent` tells whether trying again is pointless; str() is for people."""

    def __init__(self, words: str, *, permanent: bool) -> None:
        super().__init__(words)
        self.permanent = permanent


class _CheckedConnection(Connection):
    def configure_host(self) -> smtplib.SMTP:
        context = ssl.create_default_context()
        timeout = current_app.config["MAIL_TIMEOUT_SECONDS"]
        host: smtplib.SMTP
        if self.mail.use_ssl:
            host = smtplib.SMTP_SSL(self.mail.server, self.mail.port, timeout=timeout, context=context)
        else:
            host = smtplib.SMTP(self.mail.server, self.mail.port, timeout=timeout)
        if self.mail.use_tls:
            host.starttls(context=context)
        if self.mail.username and self.mail.password:
            host.login(self.mail.username, self.mail.password)
        return host

    def __exit__(self, *error: Any) -> None:
        # The mail is accepted or refused by now. A server that hangs up before QUIT would turn a sent mail into one
        # that is sent again, and a refusal into "disconnected".
        if self.host is not None:
            with suppress(smtplib.SMTPException, OSError):
                self.host.quit()


class _CheckedMail(Mail):
    def connect(self) -> Connection:
        return _CheckedConnection(current_app.extensions["mail"])


def init_mailer(app: Flask) -> None:
    app.config.setdefault("MAIL_SUPPRESS_SEND", False)
    _CheckedMail(app)
    app.extensions["checked_mail"] = _CheckedMail()


def fixed_message_id(*parts: str | int) -> str:
    """The same Message-ID for the same reason, so that a mail sent twice after a crash is one mail to its reader."""
    host = current_app.config["SITE_URL"].split("://", 1)[-1].split("/")[0].split(":")[0]
    name = uuid.uuid5(uuid.NAMESPACE_URL, current_app.config["SITE_URL"] + "/" + "/".join(map(str, parts)))
    return f"<{name}@{host}>"


@contextmanager
def _words_for_smtp_errors() -> Iterator[None]:
    try:
        yield
    except flask_mail.BadHeaderError as error:
        raise MailError("The subject or address has a line break in it.", permanent=True) from error
    except smtplib.SMTPRecipientsRefused as error:
        code, answer = next(iter(error.recipients.values()))
        raise MailError(
            f"The mail server refused the address: {code} {_text(answer)}", permanent=code >= 500
        ) from error
    except smtplib.SMTPResponseException as error:
        raise MailError(
            f"The mail server answered {error.smtp_code} {_text(error.smtp_error)}",
            permanent=error.smtp_code >= 500,
        ) from error
    except (smtplib.SMTPException, socket.gaierror, OSError) as error:
        raise MailError(f"The mail server could not be reached: {error}", permanent=False) from error


def _text(answer: bytes | str) -> str:
    return answer.decode("utf-8", "replace") if isinstance(answer, bytes) else answer


def send_mail(
    *, to: str, subject: str, text: str, html: str, message_id: str, headers: dict[str, str] | None = None
) -> None:
    """Hands one mail over. Raises MailError; returning means that the server (or the folder) has it."""
    message = Message(
        subject=subject, recipients=[to], body=text, html=html, charset="utf-8", extra_headers=headers or {}
    )
    message.msgId = message_id
    with _words_for_smtp_errors():
        if current_app.config["MAIL_SERVER"]:
            current_app.extensions["checked_mail"].send(message)
        else:
            _write_eml(message)


def _write_eml(message: Any) -> None:
    if message.has_bad_headers():
        raise flask_mail.BadHeaderError
    folder = Path(current_app.config["INSTANCE_PATH"]) / "mail"
    folder.mkdir(parents=True, exist_ok=True)
    # Named by its Message-ID: the same mail written twice is one file.
    name = message.msgId.strip("<>").split("@")[0]
    unfinished = folder / f".{name}.{os.getpid()}"
    unfinished.write_bytes(message.as_bytes())
    unfinished.replace(folder / f"{name}.eml")

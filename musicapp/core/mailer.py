"""Mail leaves here: one SMTP connection for many mails, or .eml files in the instance folder where no server is set.

Flask-Mail makes the message. Its connection has no time-out, does not check certificates, keeps no answer of the
server, and its lines are longer than the 998 bytes that servers take; so the connection and the lines are ours.
"""

from __future__ import annotations

import email.charset
import email.policy
import os
import smtplib
import ssl
import uuid
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from flask import Flask, current_app
from flask_mail import Mail, Message, sanitize_address

# Flask-Mail sets utf-8 to 8bit on import, and servers refuse lines past 998 bytes.
email.charset.add_charset("utf-8", email.charset.SHORTEST, email.charset.QP, "utf-8")

AS_WRITTEN = email.policy.compat32.clone(linesep="\r\n", max_line_length=None)
"""Headers are one line each; what is not ASCII in them was encoded when it was set."""
GOING_AWAY = 421
MAILBOX_REFUSALS = range(550, 554)
"""What a server says of a mailbox; a 554 after the words is about the words."""
TOO_LARGE = 552


class MailError(Exception):
    """A mail could not be handed over; str() is for people.

    `permanent` tells whether trying again is pointless; `is_bounce`, whether the address is why; `answer` is what the
    server said, such as "550 no such user", or the words where it said nothing.
    """

    def __init__(self, words: str, *, permanent: bool, answer: str = "", is_bounce: bool = False) -> None:
        super().__init__(words)
        self.permanent = permanent
        self.answer = answer or words
        self.is_bounce = is_bounce


class ServerAwayError(MailError):
    """No mail can leave now: the server refuses connections, hangs, hung up, or does not want us as a sender."""

    def __init__(self, words: str, answer: str = "") -> None:
        super().__init__(words, permanent=False, answer=answer)


@dataclass(frozen=True, slots=True)
class OutgoingMail:
    """One mail to one address. The subject and the headers are single lines."""

    to: str
    subject: str
    text: str
    html: str
    message_id: str
    headers: dict[str, str] = field(default_factory=dict)


def init_mailer(app: Flask) -> None:
    Mail(app)


def fixed_message_id(*parts: str | int) -> str:
    """The same Message-ID for the same reason, so that a mail sent twice after a crash is one mail to its reader."""
    host = current_app.config["SITE_URL"].split("://", 1)[-1].split("/")[0].split(":")[0]
    name = uuid.uuid5(uuid.NAMESPACE_URL, current_app.config["SITE_URL"] + "/" + "/".join(map(str, parts)))
    return f"<{name}@{host}>"


def outbox() -> Outbox:
    """What mails leave through, a context manager: `with outbox() as out: out.send(mail)`. Connects when it sends."""
    return SmtpOutbox() if current_app.config["MAIL_SERVER"] else EmlOutbox()


def send_mail(
    *, to: str, subject: str, text: str, html: str, message_id: str, headers: dict[str, str] | None = None
) -> str:
    """Hands one mail over and returns the server's answer. Raises MailError.

    For mails that no ledger knows, such as an operator's test; readers' mails go through notifications.posting.
    """
    with outbox() as out:
        return out.send(OutgoingMail(to, subject, text, html, message_id, headers or {}))


def knock() -> None:
    """Connects to the SMTP server and signs in as for a mail, and sends none. Raises MailError."""
    with _words_for_smtp_errors():
        host = _connect()
        try:
            host.ehlo_or_helo_if_needed()
            host.quit()
        finally:
            host.close()


class Outbox(ABC):
    """Where mails go."""

    @abstractmethod
    def send(self, mail: OutgoingMail) -> str:
        """Hands one mail over and returns what was answered. Raises MailError."""

    def __enter__(self) -> Self:
        return self

    def __exit__(  # noqa: B027 - not every outbox holds something open
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        """Nothing is open."""


class EmlOutbox(Outbox):
    """A folder, one file for each mail."""

    def send(self, mail: OutgoingMail) -> str:
        message = _message(mail)
        folder = Path(current_app.config["INSTANCE_PATH"]) / "mail"
        # Named by its Message-ID: the same mail written twice is one file.
        name = mail.message_id.strip("<>").split("@")[0]
        unfinished = folder / f".{name}.{os.getpid()}"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            unfinished.write_bytes(message.as_bytes())
            unfinished.replace(folder / f"{name}.eml")
        except OSError as error:
            raise ServerAwayError(f"The mail folder could not be written: {error}") from error
        return f"{name}.eml"


class SmtpOutbox(Outbox):
    """One connection at a time. A server that hung up since the last mail gets a new one, and the mail once more."""

    def __init__(self) -> None:
        self._host: _Smtp | _SmtpOverTls | None = None
        self._mail_count = 0
        """Mails that the connection carried, or that were refused over it."""

    def send(self, mail: OutgoingMail) -> str:
        """As Outbox. A mail is repeated on a new connection if and only if its 250 was not seen on a used one."""
        message = _message(mail)
        if self._mail_count >= current_app.config["MAIL_PER_CONNECTION"]:
            self._hang_up()
        try:
            return self._send(mail, message)
        except ServerAwayError:
            # Servers end connections that were quiet, or carried their share. A new one that fails as well is away.
            was_used = self._mail_count > 0
            self._drop()
            if not was_used:
                raise
        try:
            return self._send(mail, message)
        except ServerAwayError:
            self._drop()
            raise

    def _send(self, mail: OutgoingMail, message: _WireMessage) -> str:
        with _words_for_smtp_errors():
            if self._host is None:
                self._host = _connect()
            try:
                self._host.sendmail(sanitize_address(message.sender), [sanitize_address(mail.to)], message.as_bytes())
            except (smtplib.SMTPRecipientsRefused, smtplib.SMTPDataError):
                self._mail_count += 1
                raise
            self._mail_count += 1
            return self._host.last_answer

    def __exit__(
        self, kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        # Where something broke off in the middle of a mail, words would be taken for its text.
        self._hang_up() if kind is None else self._drop()

    def _hang_up(self) -> None:
        # The mails are accepted or refused by now. A server that is gone before QUIT changes nothing of that.
        if self._host is not None:
            with suppress(smtplib.SMTPException, OSError):
                self._host.quit()
        self._drop()

    def _drop(self) -> None:
        if self._host is not None:
            self._host.close()
        self._host, self._mail_count = None, 0


class _Answering:
    """Keeps what the server said to the last mail; smtplib forgets it."""

    last_answer = ""

    def data(self, msg: Any) -> tuple[int, bytes]:
        code, answer = super().data(msg)  # type: ignore[misc]
        self.last_answer = f"{code} {_text(answer)}"
        return code, answer


class _Smtp(_Answering, smtplib.SMTP):
    pass


class _SmtpOverTls(_Answering, smtplib.SMTP_SSL):
    pass


def _connect() -> _Smtp | _SmtpOverTls:
    settings = current_app.extensions["mail"]
    seconds = current_app.config["MAIL_TIMEOUT_SECONDS"]
    host: _Smtp | _SmtpOverTls
    if settings.use_ssl:
        host = _SmtpOverTls(settings.server, settings.port, timeout=seconds, context=_trusted())
    else:
        host = _Smtp(settings.server, settings.port, timeout=seconds)
    try:
        if settings.use_tls:
            host.starttls(context=_trusted())
        if settings.username and settings.password:
            host.login(settings.username, settings.password)
    except BaseException:
        host.close()
        raise
    return host


class _WireMessage(Message):
    def as_bytes(self) -> bytes:
        # Flask-Mail's own policy turns a long address in List-Unsubscribe into =?utf-8?q?…?=, which no mail program
        # reads, and takes three times as long.
        message = self._message()
        message.policy = AS_WRITTEN
        return message.as_bytes()


def _trusted() -> ssl.SSLContext:
    """What checks a server's certificate and name."""
    return _trusted_by(os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"))


@lru_cache(maxsize=1)
def _trusted_by(_file: str | None, _folder: str | None) -> ssl.SSLContext:
    # Reading the machine's certificates takes 30 ms, longer than a mail.
    return ssl.create_default_context()


def _message(mail: OutgoingMail) -> _WireMessage:
    message = _WireMessage(
        subject=mail.subject,
        recipients=[mail.to],
        body=mail.text,
        html=mail.html,
        charset="utf-8",
        extra_headers=mail.headers,
    )
    message.msgId = mail.message_id
    if message.has_bad_headers() or any("\n" in line or "\r" in line for line in mail.headers.values()):
        raise MailError("The subject, the address or a header has a line break in it.", permanent=True)
    return message


@contextmanager
def _words_for_smtp_errors() -> Iterator[None]:
    """Turns what smtplib raises into MailError: about this mail, about its address, or about the server."""
    try:
        yield
    except smtplib.SMTPRecipientsRefused as error:
        code, said = next(iter(error.recipients.values()))
        answer = f"{code} {_text(said)}"
        if code == GOING_AWAY:
            raise ServerAwayError(f"The mail server answered {answer}", answer) from error
        is_final = code >= 500
        words = f"The mail server refused the address: {answer}"
        raise MailError(words, permanent=is_final, answer=answer, is_bounce=is_final) from error
    except smtplib.SMTPResponseException as error:
        code, answer = error.smtp_code, f"{error.smtp_code} {_text(error.smtp_error)}"
        words = f"The mail server answered {answer}"
        is_about_mail = isinstance(error, smtplib.SMTPDataError) or code == TOO_LARGE
        if code == GOING_AWAY or not is_about_mail:
            # To a greeting, a password or MAIL FROM: no reader's fault, and mended in the settings.
            raise ServerAwayError(words, answer) from error
        raise MailError(words, permanent=code >= 500, answer=answer, is_bounce=code in MAILBOX_REFUSALS) from error
    except (smtplib.SMTPException, OSError) as error:
        raise ServerAwayError(f"The mail server could not be reached: {error}") from error
    except ValueError as error:
        raise MailError(f"The address can't be written: {error}", permanent=True) from error


def _text(answer: bytes | str) -> str:
    return answer.decode("utf-8", "replace") if isinstance(answer, bytes) else answer

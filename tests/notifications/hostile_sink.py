"""An SMTP server with moods: it refuses, hangs, hangs up and answers "later", for one reader or for all."""

from __future__ import annotations

import asyncio
import ssl
from collections import Counter
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP

from tests.servers import MailSink

DROP, HANG = "drop", "hang"
HANG_S = 60


class HostileSink(MailSink):
    """What it does is set by recipient; "" stands for everybody. A mood of `once` is over after its first time."""

    def __init__(self) -> None:
        super().__init__()
        self.at_rcpt: dict[str, str] = {}
        """Recipient -> the answer to RCPT."""
        self.in_data: dict[str, str] = {}
        """Recipient -> DROP after the first line of the mail."""
        self.after_data: dict[str, str] = {}
        """Recipient -> DROP, HANG or an answer, instead of keeping the mail."""
        self.after_keeping: dict[str, str] = {}
        """Recipient -> DROP once its 250 was said."""
        self.once = False
        self.greeting = ""
        """Said to every new connection instead of a welcome, such as "421 too busy"."""
        self.connection_count = 0
        self.seen: list[str] = []
        """Recipients of every mail that came this far as DATA, kept or not."""
        self.tls: ssl.SSLContext | None = None
        self.on_mail: Any = None
        """Called with the recipient before a mail is kept."""

    def start(self) -> None:
        self._controller = _HostileController(self, hostname="127.0.0.1", port=self.port)
        self._controller.start()
        self.connection_count = 0  # the controller itself knocks first

    def mood(self, moods: dict[str, str], envelope: Any) -> str:
        name = envelope.rcpt_tos[-1] if envelope.rcpt_tos else ""
        key = name if name in moods else ""
        return (moods.pop(key, "") if self.once else moods.get(key, "")) if moods else ""

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any) -> str:  # noqa: N802
        if address in self.at_rcpt:
            return self.at_rcpt[address]
        envelope.rcpt_tos.append(address)
        return "250 known"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        self.seen.append(envelope.rcpt_tos[-1])
        mood = self.mood(self.after_data, envelope)
        if mood == HANG:
            await asyncio.sleep(HANG_S)  # longer than anybody waits; ends with the connection
        if mood == DROP:
            server.transport.abort()
        if mood:
            return mood
        if self.on_mail is not None:
            self.on_mail(envelope.rcpt_tos[-1])
        answer = await super().handle_DATA(server, session, envelope)
        if self.mood(self.after_keeping, envelope):
            await server.push(answer)
            server.transport.abort()
        return answer

    def counts(self) -> Counter[str]:
        """Recipient -> how many mails were kept for it."""
        return Counter(str(mail["To"]) for mail in self.messages)


class _HostileController(Controller):
    def factory(self) -> SMTP:
        sink = self.handler
        return _HostileSMTP(sink, enable_SMTPUTF8=True, tls_context=sink.tls, require_starttls=sink.tls is not None)


class _HostileSMTP(SMTP):
    async def push(self, status: Any) -> None:
        if str(status).startswith("220 ") and "TLS" not in str(status):
            self.event_handler.connection_count += 1
            if self.event_handler.greeting:
                await super().push(self.event_handler.greeting)
                self._hang_up()
                return
        await super().push(status)

    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802 - aiosmtpd's name
        if self.envelope is not None and self.event_handler.mood(self.event_handler.in_data, self.envelope):
            await super().push("354 go on")
            await self._reader.readline()
            self._hang_up()
            return
        await super().smtp_DATA(arg)

    def _hang_up(self) -> None:
        connection: Any = self.transport
        connection.abort()

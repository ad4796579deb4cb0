"""An SMTP server that takes everything, quickly, in a process of its own: `bench/mail_sink.py 2525 counted.json`.

Told to end (SIGTERM) it writes how many mails it took, how many different Message-IDs they had, and the first few of
them as they came.
"""

from __future__ import annotations

import asyncio
import json
import re
import signal
import sys
from pathlib import Path

KEPT_MAILS = 200
MESSAGE_ID = re.compile(rb"^message-id: *(\S+)", re.IGNORECASE | re.MULTILINE)

count = 0
message_ids: set[bytes] = set()
mails: list[str] = []


async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"220 sink\r\n")
    while line := await reader.readline():
        command = line[:4].upper()
        if command == b"EHLO":
            writer.write(b"250-sink\r\n250 8BITMIME\r\n")
        elif command == b"DATA":
            writer.write(b"354 go on\r\n")
            take(await reader.readuntil(b"\r\n.\r\n"))
            writer.write(b"250 taken\r\n")
        elif command == b"QUIT":
            writer.write(b"221 bye\r\n")
            break
        else:
            writer.write(b"250 yes\r\n")
    writer.close()


def take(mail: bytes) -> None:
    global count
    count += 1
    found = MESSAGE_ID.search(mail)
    if found:
        message_ids.add(found[1])
    if len(mails) < KEPT_MAILS:
        mails.append(mail[:-5].decode("ascii", "replace"))


async def serve(port: int, counted: Path) -> None:
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    async with await asyncio.start_server(talk, "127.0.0.1", port, limit=16 * 2**20):
        await ended.wait()
    counted.write_text(json.dumps({"count": count, "different": len(message_ids), "mails": mails}))


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), Path(sys.argv[2])))

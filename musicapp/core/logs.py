"""What a process writes about itself: one line per record on stderr, where the supervisor or a container takes it.

Modules write with `logging.getLogger(__name__)`; structlog gives each line its time, the ids of the work it belongs to
(core.tracing), and takes out what nobody may read in a log.
"""

from __future__ import annotations

import logging
import os
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

from musicapp.core.tracing import trace_ids

Line = MutableMapping[str, Any]

TAKEN_OUT = "…"
_SECRETS = (
    # Addresses that open something for whoever has them. A test knows every route with a token.
    re.compile(r"(/(?:reset|confirm|unsubscribe|invitations|uploads)/)[^/?#\s\"'<>\[\]]+"),
    re.compile(r"([?&](?:token|invitation|key|code|password|signature)=)[^&#\s\"'<>]+"),
    # user:password@ of a database, Redis or a mail server
    re.compile(r"(://)[^/@\s\"']*(?=@)"),
    re.compile(r"((?:SECRET_KEY|PASSWORD|DSN)['\"]?\s*[=:]\s*['\"]?)[^\s'\",}]+"),
    re.compile(r"((?:Authorization|Cookie)['\"]?\s*:\s*)[^\r\n]+", re.IGNORECASE),
)
_IDS = ("request_id", "user_id", "task_id", "job_id", "job_kind")


def without_secrets(text: str) -> str:
    """The text with tokens in addresses, passwords and keys taken out."""
    for secret in _SECRETS:
        text = secret.sub(rf"\1{TAKEN_OUT}", text)
    return text


def _add_ids(_logger: Any, _method: str, line: Line) -> Line:
    return {**trace_ids(), **line}


def _add_process(_logger: Any, _method: str, line: Line) -> Line:
    line["process"] = os.getpid()
    line["level"] = line["level"].upper()
    return line


def _take_secrets_out(_logger: Any, _method: str, line: Line) -> Line:
    for name, value in line.items():
        if isinstance(value, str):
            line[name] = without_secrets(value)
    return line


def _console_line(_logger: Any, _method: str, line: Line) -> str:
    """Readable by people and by grep: time, level, process, logger, words, ids, and below them the exception."""
    ids = "".join(f" {name}={line[name]}" for name in _IDS if name in line)
    head = f"{line['time']} {line['level']} [{line['process']}] {line['logger']}: {line['message']}{ids}"
    return f"{head}\n{line['exception']}" if "exception" in line else head


def log_formatter(*, as_json: bool) -> logging.Formatter:
    """A formatter for any logging handler: JSON objects (time, level, process, logger, message, ids), or lines."""
    every_record: list[structlog.typing.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        _add_ids,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
        _add_process,
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
        structlog.processors.EventRenamer("message"),
        _take_secrets_out,
    ]
    last = structlog.processors.JSONRenderer(ensure_ascii=False, default=str) if as_json else _console_line
    return structlog.stdlib.ProcessorFormatter(
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, last],
        foreign_pre_chain=every_record,
    )


def start_logs(*, as_json: bool) -> None:
    """Gives the process's root logger its one handler. For wsgi.py and celery_worker.py: tests keep their own."""
    # The stream of now: Celery puts a proxy in stderr's place that writes to the log.
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(log_formatter(as_json=as_json))
    root = logging.getLogger()
    root.handlers = [handler]
    logging.getLogger("musicapp").setLevel(logging.INFO)
    # Gunicorn gave its own a handler before the app was loaded.
    gunicorn = logging.getLogger("gunicorn.error")
    gunicorn.handlers, gunicorn.propagate = [], True

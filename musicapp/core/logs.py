"""What a process writes about itself: one line per record on stderr, where the supervisor or a container takes it."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime

LINE = "%(asctime)s %(levelname)s [%(process)d] %(name)s: %(message)s"


class JsonLines(logging.Formatter):
    """One JSON object per record: time, level, process, logger, message and, where there was one, the exception."""

    def format(self, record: logging.LogRecord) -> str:
        said = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "process": record.process,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            said["exception"] = self.formatException(record.exc_info)
        return json.dumps(said, ensure_ascii=False)


def start_logs(*, as_json: bool) -> None:
    """Gives the process's root logger its one handler. For wsgi.py and celery_worker.py: tests keep their own."""
    # The stream of now: Celery puts a proxy in stderr's place that writes to the log.
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines() if as_json else logging.Formatter(LINE))
    root = logging.getLogger()
    root.handlers = [handler]
    logging.getLogger("musicapp").setLevel(logging.INFO)
    # Gunicorn gave its own a handler before the app was loaded.
    gunicorn = logging.getLogger("gunicorn.error")
    gunicorn.handlers, gunicorn.propagate = [], True

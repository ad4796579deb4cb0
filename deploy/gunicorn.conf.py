# ruff: noqa: N999  (the name gunicorn itself looks for)
"""gunicorn for musicapp. Settings come from the environment; GUNICORN_CMD_ARGS wins over this file.

Nothing of the app is imported here: gevent must replace sockets and locks before anything else does (wsgi.py).
"""

import gc
import os
from pathlib import Path
from typing import Any

_host = os.environ.get("HOST") or "127.0.0.1"
bind = f"{f'[{_host}]' if ':' in _host else _host}:{os.environ.get('PORT') or 8000}"

worker_class = "gevent"
workers = int(os.environ.get("WEB_CONCURRENCY") or 2)
worker_connections = int(os.environ.get("WEB_CONNECTIONS") or 2000)
backlog = 4096

timeout = 60  # of the worker's heartbeat, not of a request: long streams are not cut
graceful_timeout = 10  # what a download in flight gets at a restart
keepalive = 2  # an idle connection holds a shutdown for so long

# The heartbeat's file in memory: on a busy disk its touch can take longer than the timeout.
if Path("/dev/shm").is_dir():
    worker_tmp_dir = "/dev/shm"

control_socket_disable = True  # it would open a socket in the home folder
accesslog = None  # nginx keeps one
errorlog = "-"


def _ready_file(worker: Any) -> Path | None:
    """Tells deploy/renew.py that this process has loaded the app."""
    settings = getattr(worker.wsgi, "config", None)
    instance = settings.get("INSTANCE_PATH") if isinstance(settings, dict) else None  # tests serve smaller apps
    return Path(instance) / "run" / "web" / str(os.getpid()) if instance else None


def worker_exit(_server: Any, worker: Any) -> None:
    ready = _ready_file(worker) if hasattr(worker, "wsgi") else None
    if ready is not None:
        ready.unlink(missing_ok=True)


def post_worker_init(worker: Any) -> None:
    """Lets the app see `worker.alive`, so that open live streams end at once when the worker is told to stop."""
    extensions = getattr(worker.wsgi, "extensions", None)
    if isinstance(extensions, dict):
        extensions["gunicorn_worker"] = worker
        if "metrics" in extensions:
            extensions["metrics"].start()
        if "assets" in extensions:
            from gevent import get_hub

            get_hub().threadpool.spawn(extensions["assets"].make_all)
    ready = _ready_file(worker)
    if ready is not None:
        ready.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        ready.touch()
    # What the app has loaded stays for ever; a full collection that walks over it stops every open stream for 90 ms.
    gc.collect()
    gc.freeze()

"""Runs musicapp: `python -m deploy.run` starts the whole site, with a name after it one part of it.

    python -m deploy.run                         everything, under a supervisor, until Ctrl-C or SIGTERM
    python -m deploy.run web | beat | migrate    one part, in the foreground
    python -m deploy.run worker --queues default,media --concurrency 2
    python -m deploy.run renew                   the web processes of the running site, in place, with the code of now
    python -m deploy.run flask demo              a command of the app, with the settings of the running site

Ends with 0 after a clean stop, with 2 and one line when something must be put right first, with 1 when the web
server could not start.
"""

from __future__ import annotations

import argparse
import os
import sys
from typing import NoReturn

from deploy.checks import check_python
from deploy.database import migrate
from deploy.redis_server import answers
from deploy.renew import renew_site
from deploy.settings import ROOT, RunSettings, StartError, read_settings
from deploy.site import run_site
from deploy.supervision import WORKER_ENVIRON, beat_command, web_command, worker_command


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m deploy.run", description="Runs musicapp or one part of it.")
    parts = parser.add_subparsers(dest="part")
    for name in ("web", "beat", "migrate", "renew"):
        parts.add_parser(name)
    worker = parts.add_parser("worker")
    worker.add_argument("--queues", default="default,media")
    worker.add_argument("--concurrency", type=int, default=2)
    flask = parts.add_parser("flask")
    flask.add_argument("arguments", nargs=argparse.REMAINDER)
    chosen = parser.parse_args(arguments)
    sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr]
    try:
        check_python()
        settings = read_settings(os.environ)
        if chosen.part is None:
            return run_site(settings)
        settings.run_folder.mkdir(mode=0o700, exist_ok=True)
        settings.log_folder.mkdir(exist_ok=True)
        use_running_redis(settings, needed=chosen.part in {"worker", "beat"})
        if chosen.part == "migrate":
            print(
                "The database is migrated." if migrate(settings) else "The database is already at the newest migration."
            )
            return 0
        if chosen.part == "renew":
            return renew_site(settings)
        if chosen.part == "web":
            become(web_command(), settings)
        if chosen.part == "beat":
            become(beat_command(settings), settings)
        if chosen.part == "flask":
            become([sys.executable, "-m", "flask", "--app", "wsgi", *chosen.arguments], settings)
        settings.environ.update(WORKER_ENVIRON)
        become(worker_command(chosen.queues, chosen.concurrency, f"worker-{os.getpid()}"), settings)
    except StartError as error:
        print(f"musicapp: {error}", file=sys.stderr)
        return 2


def use_running_redis(settings: RunSettings, *, needed: bool) -> None:
    """Points the environment at the Redis of the site that runs in this instance, when REDIS_URL is unset."""
    if "REDIS_URL" in settings.environ:
        return
    kept = settings.run_folder / "redis_url"
    url = kept.read_text().strip() if kept.exists() else ""
    if url and answers(url):
        settings.environ["REDIS_URL"] = url
    elif needed:
        raise StartError("No Redis is running for this instance. Start the site first (make run), or set REDIS_URL.")


def become(command: list[str], settings: RunSettings) -> NoReturn:
    os.chdir(ROOT)
    os.execve(command[0], command, settings.environ)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""The whole site in the foreground: checks, database, Redis, supervisor; then watching until someone says stop."""

from __future__ import annotations

import http.client
import resource
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

from deploy import checks
from deploy.database import migrate, reason_in
from deploy.family import MakeWatch, adopt_orphans, end_descendants, reap_orphans
from deploy.redis_server import answers, prepare_own_redis, short_folder, without_password, write_private
from deploy.settings import RunSettings, prepare_folder
from deploy.supervision import EndedPrograms, configuration, programs, start_supervisor

_WATCH_SECONDS = 0.2
_PATIENCE_SECONDS = 30  # after so long without a page the log is named
_STOP_SECONDS = 20  # longer than the supervisor waits for the slowest program
_OPEN_FILES = 65536  # every open stream is one


def run_site(settings: RunSettings) -> int:
    """Runs until SIGINT, SIGTERM or SIGHUP and returns the exit code. Raises StartError before anything is started."""
    prepare_folder(settings.run_folder, mode=0o700)
    settings.run_folder.chmod(0o700)
    prepare_folder(settings.log_folder)
    lock = checks.lock_instance(settings.run_folder, settings.instance)
    checks.check_port_free(settings.host, settings.port)
    warning = checks.check_disk(settings.instance)
    if warning:
        say(warning)
    sockets = short_folder(settings.run_folder)
    redis_url = settings.run_folder / "redis_url"
    try:
        redis = None
        if "REDIS_URL" not in settings.environ:
            redis = prepare_own_redis(settings, sockets)
            settings.environ["REDIS_URL"] = redis.url
        elif not answers(settings.environ["REDIS_URL"]):
            address = without_password(settings.environ["REDIS_URL"])
            say(f"Redis at {address} does not answer; what needs it waits for it.")
        write_private(redis_url, settings.environ["REDIS_URL"])
        if migrate(settings):
            say("The database is migrated.")
        raise_open_files()
        return Site(settings, configuration(settings, programs(settings, redis), sockets), sockets).run()
    finally:
        redis_url.unlink(missing_ok=True)
        if sockets != settings.run_folder:
            shutil.rmtree(sockets, ignore_errors=True)
        lock.close()


class Site:
    """The supervisor and what is known about it."""

    def __init__(self, settings: RunSettings, configuration_text: str, sockets: Path) -> None:
        self._settings = settings
        self._text = configuration_text
        self._control = f"unix://{sockets / 'supervisor.sock'}"
        self._stops = 0
        self._make = MakeWatch()
        self._ended = EndedPrograms(settings.log_folder / "supervisord.log")
        self._supervisor: subprocess.Popen[bytes] | None = None

    def run(self) -> int:
        adopt_orphans()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._on_signal)
        try:
            return self._watch()
        finally:
            self._stop()

    def _on_signal(self, _number: int, _frame: object) -> None:
        self._stops += 1

    def _watch(self) -> int:
        self._supervisor = start_supervisor(self._settings, self._text)
        began = next_try = time.monotonic()
        answered = warned = False
        while not self._stops and not self._make.wants_end():
            for name, how in self._ended.new():
                if name == "web" and not answered:
                    say(f"The web server could not start: {self._why('web')}")
                    return 1
                say(f"{name} ended ({how}) and is started again; its log: {self._log(name)}")
            if not answered:
                answers(self._control)  # a knock: the supervisor otherwise sleeps a second before it starts anything
            if not answered and time.monotonic() >= next_try:
                status = page_status(self._settings.local_address)
                answered = status is not None and status < 500
                next_try = time.monotonic() + (0 if status is None else 1)
                if answered:
                    self._say_address()
            if not answered and not warned and time.monotonic() - began > _PATIENCE_SECONDS:
                warned = True
                say(f"No page after {_PATIENCE_SECONDS} s; the web server's log: {self._log('web')}")
            self._keep_supervisor()
            if not self._stops:
                time.sleep(_WATCH_SECONDS)
        return 0

    def _keep_supervisor(self) -> None:
        assert self._supervisor is not None
        reap_orphans(self._supervisor.pid)
        if self._supervisor.poll() is None:
            return
        # Its programs live on as ours, and hold the port: they make room for the ones of the next supervisor.
        say(f"The supervisor ended ({self._supervisor.returncode}) and is started again.")
        end_descendants(grace_seconds=3)
        time.sleep(1)
        self._supervisor = start_supervisor(self._settings, self._text)

    def _stop(self) -> None:
        """Lets everything end; a second signal, or too long a wait, ends it by force."""
        stops = self._stops
        if self._supervisor is not None and self._supervisor.poll() is None:
            say("Stopping …")
            self._supervisor.terminate()
            deadline = time.monotonic() + _STOP_SECONDS
            while self._supervisor.poll() is None and time.monotonic() < deadline and self._stops <= max(stops, 1):
                reap_orphans(self._supervisor.pid)
                time.sleep(0.05)
        end_descendants(grace_seconds=0.5)
        say("Stopped.")

    def _say_address(self) -> None:
        app = self._settings.app
        mail = (
            f"{app['MAIL_SERVER']}:{app['MAIL_PORT']}"
            if app["MAIL_SERVER"]
            else shown(self._settings.instance / "mail")
        )
        say(f"Listening on {self._settings.local_address} — mail goes to {mail}")
        say(f"Logs are in {shown(self._settings.log_folder)}. Ctrl-C stops everything.")

    def _log(self, name: str) -> str:
        return shown(self._settings.log_folder / f"{name}.log")

    def _why(self, name: str) -> str:
        log = self._settings.log_folder / f"{name}.log"
        return f"{reason_in(log.read_text(errors='replace')[-20000:])} Its log: {shown(log)}"


def page_status(address: str) -> int | None:
    """The HTTP status of the home page; None when nobody answers."""
    parts = urlsplit(address)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=10)
    try:
        connection.request("GET", "/")
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def raise_open_files() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, _OPEN_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def shown(path: Path) -> str:
    """A path as short as it can be said from here."""
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def say(line: str) -> None:
    try:
        print(line, flush=True)
    except OSError:
        sys.stdout = None  # nobody listens any more, and the site runs on

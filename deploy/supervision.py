"""The supervisor: which programs run, how they are started again, how they stop."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from deploy.family import end_with_parent
from deploy.redis_server import OwnRedis, write_private
from deploy.settings import ROOT, RunSettings

# The pause between tries grows by a second each time and there is no last one.
_RESTARTS = 2**31 - 1
# Longer than gunicorn's graceful_timeout and Celery's soft shutdown, after which each ends by itself.
_STOP_WAIT_SECONDS = 12


@dataclass(frozen=True, slots=True)
class Program:
    """One supervised program. `nice` above zero lets the web go first, at start and under load."""

    name: str
    command: list[str]
    nice: int = 0
    steady_after_seconds: int = 3
    environ: dict[str, str] = field(default_factory=dict)


def web_command() -> list[str]:
    return [sys.executable, "-m", "gunicorn", "-c", str(ROOT / "deploy" / "gunicorn.conf.py"), "wsgi:app"]


def worker_command(queues: str, concurrency: int, name: str) -> list[str]:
    celery = [sys.executable, "-m", "celery", "-A", "celery_worker", "worker"]
    return [*celery, "-Q", queues, "-c", str(concurrency), "-n", f"{name}@%h", "--loglevel", "INFO"]


def beat_command(settings: RunSettings) -> list[str]:
    schedule = str(settings.run_folder / "beat-schedule")
    return [sys.executable, "-m", "celery", "-A", "celery_worker", "beat", "-s", schedule, "--pidfile=", "-l", "INFO"]


# SIGTERM then means: give running tasks a few seconds, put them back, end. Without it a worker waits for hours.
WORKER_ENVIRON = {"REMAP_SIGTERM": "SIGQUIT"}


def programs(settings: RunSettings, redis: OwnRedis | None) -> list[Program]:
    """All programs of the site, in the order they start."""
    counts = settings.runner
    default = worker_command("default", counts["WORKER_DEFAULT_CONCURRENCY"], "default")
    media = worker_command("media", counts["WORKER_MEDIA_CONCURRENCY"], "media")
    site = [
        Program("web", web_command()),
        Program("worker-default", default, nice=5, environ=WORKER_ENVIRON),
        Program("worker-media", media, nice=10, environ=WORKER_ENVIRON),
        Program("beat", beat_command(settings), nice=10),
    ]
    if redis is None:
        return site
    return [Program("redis", [redis.program, str(redis.configuration)], steady_after_seconds=1), *site]


def configuration(settings: RunSettings, started: list[Program], sockets: Path) -> str:
    """The text of supervisord.conf. Programs take their environment from the supervisor, so no secret stands in it."""
    control = sockets / "supervisor.sock"
    sections = [
        "[supervisord]",
        "nodaemon=true",
        "silent=true",
        f"logfile={_escaped(settings.log_folder / 'supervisord.log')}",
        "logfile_maxbytes=5MB",
        "logfile_backups=2",
        f"pidfile={_escaped(settings.run_folder / 'supervisord.pid')}",
        f"childlogdir={_escaped(settings.log_folder)}",
        f"directory={_escaped(ROOT)}",
        *(["user=root"] if os.geteuid() == 0 else []),
        "",
        "[unix_http_server]",
        f"file={_escaped(control)}",
        "chmod=0700",
        "",
        "[supervisorctl]",
        f"serverurl=unix://{_escaped(control)}",
        "",
        "[rpcinterface:supervisor]",
        "supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface",
        "",
    ]
    for program in started:
        sections += _program_section(program, settings.log_folder)
    # One group stops all at once; Redis, outside of it and with a lower priority, stops last.
    site = ",".join(program.name for program in started if program.name != "redis")
    sections += ["[group:site]", f"programs={site}", "priority=900", ""]
    return "\n".join(sections)


def _program_section(program: Program, log_folder: Path) -> list[str]:
    nice = ["nice", "-n", str(program.nice)] if program.nice else []
    environ = ",".join(f'{name}="{value}"' for name, value in program.environ.items())
    return [
        f"[program:{program.name}]",
        f"command={_escaped(shlex.join([*nice, *program.command]))}",
        "autorestart=true",
        f"startretries={_RESTARTS}",
        f"startsecs={program.steady_after_seconds}",
        "stopsignal=TERM",
        f"stopwaitsecs={_STOP_WAIT_SECONDS}",
        # Only the first process gets the polite signal: it knows what its children have in hand.
        "stopasgroup=false",
        "killasgroup=true",
        *(["priority=100"] if program.name == "redis" else []),
        *([f"environment={environ}"] if environ else []),
        "redirect_stderr=true",
        f"stdout_logfile={_escaped(log_folder / (program.name + '.log'))}",
        "stdout_logfile_maxbytes=10MB",
        "stdout_logfile_backups=3",
        "",
    ]


def _escaped(value: object) -> str:
    return str(value).replace("%", "%%")  # the supervisor expands %(name)s


def start_supervisor(settings: RunSettings, text: str) -> subprocess.Popen[bytes]:
    """Writes the configuration and starts supervisord in a group of its own: Ctrl-C reaches only the runner."""
    path = settings.run_folder / "supervisord.conf"
    write_private(path, text)
    return subprocess.Popen(
        [sys.executable, "-m", "supervisor.supervisord", "-c", str(path)],
        cwd=ROOT,
        env=settings.environ,
        stdin=subprocess.DEVNULL,
        stdout=(settings.log_folder / "supervisord.out").open("wb"),
        stderr=subprocess.STDOUT,
        process_group=0,
        preexec_fn=end_with_parent,
    )


class EndedPrograms:
    """Reads from the supervisor's log which programs ended without being asked to."""

    _LINE = re.compile(r"(?:exited|terminated|gave up): ([\w-]+) \((.+?)(?:; not expected|; expected)?\)")

    def __init__(self, log: Path) -> None:
        self._log = log
        self._read_bytes = log.stat().st_size if log.exists() else 0

    def new(self) -> list[tuple[str, str]]:
        """(program, how it ended) since the last call."""
        try:
            size = self._log.stat().st_size
            if size < self._read_bytes:  # rotated
                self._read_bytes = 0
            with self._log.open("rb") as file:
                file.seek(self._read_bytes)
                fresh = file.read()
        except FileNotFoundError:
            return []
        whole, _, _ = fresh.rpartition(b"\n")
        self._read_bytes += len(whole) + 1 if whole else 0
        return [(name, how) for name, how in self._LINE.findall(whole.decode(errors="replace"))]

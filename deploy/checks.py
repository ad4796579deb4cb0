"""What must be right before anything is started. Each check raises StartError with one clear line."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import socket
import sys
from pathlib import Path
from typing import IO

from deploy.settings import StartError

OLDEST_PYTHON = (3, 11)
# Below the first the database can't grow by a transaction; below the second one album fills the disk.
DISK_NEEDED_BYTES = 8 * 1024**2
DISK_COMFORT_BYTES = 1024**3


def check_python(version: tuple[int, ...] = sys.version_info[:3]) -> None:
    if version[:2] < OLDEST_PYTHON:
        have = ".".join(map(str, version))
        raise StartError(
            f"Python {have} is too old: musicapp needs 3.11 or later. Name one: make run PYTHON=python3.11"
        )


def check_port_free(host: str, port: int) -> None:
    """Binds once and lets go. Raises StartError when another program listens there."""
    if not 0 < port < 65536:  # getaddrinfo would take such a number modulo 65536
        raise StartError(f"PORT={port} is not a port: write a number from 1 to 65535.")
    try:
        family, kind, proto, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, proto) as probe:
            # As gunicorn does it: a socket that only waits out its last connection doesn't count as taken.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise StartError(
                f"Port {port} on {host} is taken by another program. "
                f"Stop that one, or choose another: PORT={port + 1} make run"
            ) from None
        if error.errno == errno.EACCES:
            raise StartError(f"Port {port} needs more rights than this user has. Set PORT to one above 1023.") from None
        raise StartError(f"HOST={host} PORT={port} can't be listened on: {error.strerror or error}.") from None


def check_disk(folder: Path) -> str | None:
    """Raises StartError when the disk is full; returns a warning when it is nearly so."""
    free_bytes = shutil.disk_usage(folder).free
    if free_bytes < DISK_NEEDED_BYTES:
        raise StartError(f"The disk of {folder} is full ({free_bytes // 1024} KiB free). Free some space there.")
    if free_bytes < DISK_COMFORT_BYTES:
        return f"Only {free_bytes // 1024**2} MiB are free on the disk of {folder}."
    return None


def lock_instance(run_folder: Path, instance: Path) -> IO[str]:
    """Takes the instance for this run; the lock goes with the returned file. Raises StartError when it is taken."""
    lock = (run_folder / "lock").open("a+")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.seek(0)
        owner = lock.read().strip()
        lock.close()
        raise StartError(
            f"musicapp is already running in {instance} (process {owner or 'unknown'}). "
            "Stop it, or set INSTANCE_PATH and PORT for a second one."
        ) from None
    lock.truncate(0)
    lock.write(str(os.getpid()))
    lock.flush()
    return lock

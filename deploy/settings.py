"""What the runner needs to know before anything is started: environment, .env, settings, folders."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dotenv import dotenv_values

import config

ROOT = config.PROJECT_ROOT

# name -> (default, what it is). Only the runner reads these; everything else stands in config.py.
RUNNER_DEFAULTS: dict[str, tuple[int, str]] = {
    "WEB_CONCURRENCY": (2, "web processes"),
    "WEB_CONNECTIONS": (2000, "connections per web process, open live streams included"),
    "WORKER_DEFAULT_CONCURRENCY": (2, "processes of the worker for mail, probes and pictures"),
    "WORKER_MEDIA_CONCURRENCY": (0, "encodings at the same time; 0 means half the cores"),
}


class StartError(Exception):
    """Why musicapp can't start: one line that names the cause and says what to do."""


@dataclass(frozen=True, slots=True)
class RunSettings:
    """Settings of one run. `environ` is what the started programs get, without REDIS_URL when it is unset."""

    environ: dict[str, str]
    app: dict[str, Any]
    runner: dict[str, int]
    instance: Path

    @property
    def host(self) -> str:
        return str(self.app["HOST"])

    @property
    def port(self) -> int:
        return int(self.app["PORT"])

    @property
    def local_address(self) -> str:
        """The address at which this machine reaches the site."""
        host = {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "::1"}.get(self.host, self.host)
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}"

    @property
    def run_folder(self) -> Path:
        """Sockets, pids and generated configuration of the running site."""
        return self.instance / "run"

    @property
    def log_folder(self) -> Path:
        return self.instance / "log"


def read_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment over `.env` beside the Makefile: what is set for one start wins over what is kept."""
    kept = {name: value for name, value in dotenv_values(ROOT / ".env").items() if value is not None}
    return {**kept, **environ}


def prepare_folder(folder: Path, *, mode: int = 0o755) -> None:
    """Makes `folder` and tries to write in it. Raises StartError when it can't be written."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=mode)
        probe = folder / f".write-test-{os.getpid()}"
        probe.write_bytes(b"x")
        probe.unlink()
    except OSError as error:
        raise StartError(
            f"The folder {folder} can't be written ({error.strerror or error}). "
            "Make it writable, or set INSTANCE_PATH to another folder."
        ) from None


def read_settings(environ: Mapping[str, str]) -> RunSettings:
    """Settings from the environment and `.env`. Raises StartError for one that can't be used."""
    env = read_environment(environ)
    instance = Path(env.get("INSTANCE_PATH") or ROOT / "instance").resolve()
    if any(part in str(instance) for part in (" ;", " #", "\n")):
        raise StartError(
            f"INSTANCE_PATH={str(instance)!r} must not contain ' ;' or ' #': the supervisor can't read it."
        )
    prepare_folder(instance)  # load_settings keeps a new SECRET_KEY there
    try:
        app = config.load_settings(env)
        runner = {name: _count(name, env.get(name), default) for name, (default, _) in RUNNER_DEFAULTS.items()}
    except config.SettingError as error:
        raise StartError(str(error)) from None
    # One encoding already uses more than one core: ffmpeg runs its encoders in parallel.
    runner["WORKER_MEDIA_CONCURRENCY"] = runner["WORKER_MEDIA_CONCURRENCY"] or max(1, (os.cpu_count() or 1) // 2)
    env |= {"INSTANCE_PATH": str(instance), "HOST": str(app["HOST"]), "PORT": str(app["PORT"])}
    env |= {name: str(number) for name, number in runner.items()}
    if not env.get("REDIS_URL"):
        env.pop("REDIS_URL", None)
    return RunSettings(environ=env, app=app, runner=runner, instance=instance)


def _count(name: str, raw: str | None, default: int) -> int:
    if not raw:
        return default
    if not raw.isdecimal() or int(raw) < min(default, 1):
        raise config.SettingError(f"{name}={raw!r} is not a whole number above zero.")
    return int(raw)

"""Real programs started as a person starts them: on free ports, in folders of their own, ended by their pid."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent.parent

Result = TypeVar("Result")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_until(condition: Callable[[], Result | None], what: str, *, seconds: float = 30) -> Result:
    """Returns what `condition` returns once it is true; fails with `what` after `seconds`."""
    end = time.monotonic() + seconds
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > end:
            pytest.fail(f"after {seconds} s still not: {what}")
        time.sleep(0.05)  # the condition belongs to another process: there is no event to wait for


def clean_environ(**settings: str) -> dict[str, str]:
    """This process's environment without anything a developer set for musicapp, and with `settings`."""
    import config
    from deploy.settings import RUNNER_DEFAULTS

    ours = {*config.DEFAULTS, *RUNNER_DEFAULTS}
    kept = {k: v for k, v in os.environ.items() if k not in ours and not k.startswith(("CELERY_CONF_", "MAKE"))}
    # Set but empty means "the default", also where the developer's .env says otherwise.
    return {**kept, **dict.fromkeys(ours, ""), **settings}


@pytest.fixture
def short_folder() -> Iterator[Path]:
    """A folder whose path leaves room for a unix socket's name."""
    folder = Path(tempfile.mkdtemp(prefix="ma-", dir="/tmp"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def start(command: list[str], log: Path, *, environ: dict[str, str] | None = None) -> subprocess.Popen[bytes]:
    """Starts a program in the repository, in a session of its own as a terminal would; what it says goes to `log`."""
    with log.open("wb") as output:
        return subprocess.Popen(
            command,
            cwd=REPOSITORY,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

"""Real programs started as a person starts them: on free ports, in folders of their own, ended by their pid."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers import REPOSITORY


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

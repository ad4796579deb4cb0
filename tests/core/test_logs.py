"""What web processes and workers write about themselves."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.servers import REPOSITORY

SAY = """
import logging
from {module} import *
try:
    1 / 0
except ZeroDivisionError:
    logging.getLogger("musicapp.jobs").exception("job %s is \\u201clost\\u201d", 7)
"""


def said(module: str, folder: Path, as_json: str) -> str:
    environ = {"INSTANCE_PATH": str(folder), "SECRET_KEY": "x", "LOG_JSON": as_json, "PATH": "/usr/bin"}
    done = subprocess.run(
        [sys.executable, "-c", SAY.format(module=module)],
        cwd=REPOSITORY,
        env=environ,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stderr


@pytest.mark.parametrize("module", ["wsgi", "celery_worker"])
def test_log_lines_are_json_where_the_setting_says_so(module: str, tmp_path: Path) -> None:
    line = json.loads(said(module, tmp_path, "true"))
    assert (line["level"], line["logger"], line["message"]) == ("ERROR", "musicapp.jobs", "job 7 is “lost”")
    assert line["exception"].endswith("ZeroDivisionError: division by zero")


def test_log_lines_say_when_and_who(tmp_path: Path) -> None:
    first = said("wsgi", tmp_path, "false").splitlines()[0]
    assert first.endswith("musicapp.jobs: job 7 is “lost”")
    assert first[:4].isdigit()

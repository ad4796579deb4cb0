"""What must be right before a start: each thing that is wrong gives one line that says what to do."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.checks import check_disk, check_port_free, check_python
from deploy.settings import StartError
from tests.run.conftest import clean_environ
from tests.servers import REPOSITORY, free_port

pytestmark = pytest.mark.real


def refused(**settings: str) -> str:
    """Starts the runner, which must end with 2 at once, and returns the one line it says."""
    ended = subprocess.run(
        [sys.executable, "-m", "deploy.run"],
        cwd=REPOSITORY,
        env=clean_environ(**settings),
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert ended.returncode == 2, ended.stdout + ended.stderr
    assert ended.stdout == ""
    assert ended.stderr.count("\n") == 1, ended.stderr
    return ended.stderr


def test_a_port_that_is_taken_is_named_with_another_one_to_try(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        line = refused(INSTANCE_PATH=str(tmp_path), PORT=str(port))
    assert f"Port {port} on 127.0.0.1 is taken by another program" in line
    assert f"PORT={port + 1} make run" in line


def test_a_folder_that_can_not_be_written_is_named(tmp_path: Path) -> None:
    # A file in the way: unlike missing rights, it also stops root.
    (tmp_path / "file").touch()
    line = refused(INSTANCE_PATH=str(tmp_path / "file" / "instance"), PORT=str(free_port()))
    assert f"The folder {tmp_path}/file/instance can't be written" in line
    assert "INSTANCE_PATH" in line


def test_an_unusable_setting_is_named_with_what_to_write(tmp_path: Path) -> None:
    assert "PORT='eighty' is not a whole number" in refused(INSTANCE_PATH=str(tmp_path), PORT="eighty")
    assert "WEB_CONCURRENCY='0' is not" in refused(INSTANCE_PATH=str(tmp_path), WEB_CONCURRENCY="0")
    assert "PORT=99999 is not a port" in refused(INSTANCE_PATH=str(tmp_path), PORT="99999")


def test_a_host_that_is_not_this_machine_is_named(tmp_path: Path) -> None:
    line = refused(INSTANCE_PATH=str(tmp_path), HOST="192.0.2.1", PORT=str(free_port()))
    assert "HOST=192.0.2.1" in line


def test_a_part_that_needs_redis_says_so_when_no_site_runs(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "deploy.run", "worker"],
        cwd=REPOSITORY,
        env=clean_environ(INSTANCE_PATH=str(tmp_path)),
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert ended.returncode == 2
    assert ended.stderr.count("\n") == 1
    assert "make run" in ended.stderr


def test_a_python_that_is_too_old_gives_one_line(tmp_path: Path) -> None:
    old = tmp_path / "python3.8"
    old.write_text('#!/bin/sh\n[ "$1" = --version ] && { echo "Python 3.8.20"; exit 0; }\nexit 1\n')
    old.chmod(0o755)
    ended = subprocess.run(
        ["sh", "deploy/find-python", str(old)], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.count("\n") == 1
    assert "Python 3.11 or later is needed (Python 3.8.20)" in ended.stderr

    with pytest.raises(StartError, match=r"Python 3\.10\.2 is too old"):
        check_python((3, 10, 2))


def test_the_python_of_the_venv_is_found_by_itself_when_none_is_named() -> None:
    found = subprocess.run(
        ["sh", "deploy/find-python", ""], cwd=REPOSITORY, capture_output=True, text=True, check=True
    ).stdout.strip()
    fits = subprocess.run([found, "-c", "import sys; sys.exit(sys.version_info < (3, 11))"], check=False)
    assert fits.returncode == 0


def test_a_port_nobody_uses_is_free() -> None:
    check_port_free("127.0.0.1", free_port())


def test_a_disk_with_room_gives_no_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import deploy.checks

    monkeypatch.setattr(deploy.checks, "DISK_COMFORT_BYTES", 1)
    assert check_disk(tmp_path) is None
    monkeypatch.setattr(deploy.checks, "DISK_COMFORT_BYTES", 2**62)
    assert "are free on the disk" in (check_disk(tmp_path) or "")
    monkeypatch.setattr(deploy.checks, "DISK_NEEDED_BYTES", 2**62)
    with pytest.raises(StartError, match="is full"):
        check_disk(tmp_path)

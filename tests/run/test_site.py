"""`make run` as a person uses it: start, kill what can be killed, stop; nothing may be left."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import requests

from tests.run.conftest import REPOSITORY, clean_environ, free_port, start, wait_until

pytestmark = pytest.mark.real

# What tells the first process of each program by its command line.
PROGRAMS = {
    "redis": r"redis-server",
    "web": r"gunicorn .*wsgi:app",
    "worker-default": r"celery_worker worker -Q default",
    "worker-media": r"celery_worker worker -Q media",
    "beat": r"celery_worker beat",
    "supervisor": r"supervisor\.supervisord",
}


class Site:
    """One `make run` in an instance folder of its own."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.folder = folder
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self.settings = {"INSTANCE_PATH": str(folder / "instance"), "PORT": str(self.port), **settings}

    def start(self) -> float:
        """Starts it and waits for the home page; returns the seconds that took."""
        began = time.monotonic()
        command = ["make", "--no-print-directory", "run", f"VENV={sys.prefix}"]
        self.make = start(command, self.folder / "said", environ=clean_environ(**self.settings))
        wait_until(self.answers_or_ended, f"the home page answers: {self.said()}", seconds=60)
        assert self.make.poll() is None, self.said()
        return time.monotonic() - began

    def answers_or_ended(self) -> bool:
        return self.make.poll() is not None or self.answers()

    def answers(self) -> bool:
        try:
            return requests.get(self.address, timeout=10).status_code < 500
        except requests.ConnectionError:
            return False

    def said(self) -> str:
        said = self.folder / "said"
        return said.read_text() if said.exists() else ""

    def family(self) -> list[psutil.Process]:
        return psutil.Process(self.make.pid).children(recursive=True)

    def first_process(self, program: str) -> psutil.Process | None:
        """The process that the supervisor started; of the supervisor, itself."""
        family = self.family()
        supervisors = [one for one in family if re.search(PROGRAMS["supervisor"], command_of(one))]
        if program == "supervisor":
            return supervisors[0] if supervisors else None
        above = {one.pid for one in supervisors}
        found = [one for one in family if re.search(PROGRAMS[program], command_of(one)) and parent_of(one) in above]
        return found[0] if found else None

    def stop(self, number: int = signal.SIGTERM, *, group: bool = False) -> list[str]:
        """Sends a signal to make, or to its group as a terminal does; returns what is left afterwards."""
        family = self.family()
        if group:
            os.killpg(self.make.pid, number)
        else:
            self.make.send_signal(number)
        try:
            self.make.wait(30)
        finally:
            _, left = psutil.wait_procs(family, timeout=0 if self.make.poll() is None else 15)
            names = [f"{one.pid} {command_of(one)}" for one in left]
            for one in left:
                one.kill()
        return names

    def end(self) -> None:
        """Cleans up after a failed test."""
        if self.make.poll() is None:
            self.stop()


def command_of(one: psutil.Process) -> str:
    try:
        return " ".join(one.cmdline())
    except psutil.Error:
        return ""


def parent_of(one: psutil.Process) -> int | None:
    try:
        return one.ppid()
    except psutil.Error:
        return None


@pytest.fixture
def new_site() -> Iterator[Site]:
    folder = Path(tempfile.mkdtemp(prefix="ma-", dir="/tmp"))
    site = Site(folder)
    yield site
    site.end()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def running_site() -> Iterator[Site]:
    folder = Path(tempfile.mkdtemp(prefix="ma-", dir="/tmp"))
    site = Site(folder)
    site.start()
    yield site
    site.end()
    shutil.rmtree(folder, ignore_errors=True)


def test_the_start_says_where_the_site_is_and_where_mail_goes(running_site: Site) -> None:
    mail = f"{running_site.folder}/instance/mail"
    line = f"Listening on {running_site.address} — mail goes to {mail}\n"
    wait_until(lambda: line in running_site.said(), f"{line} in {running_site.said()}")


@pytest.mark.parametrize("program", PROGRAMS)
def test_what_is_killed_is_started_again(running_site: Site, program: str) -> None:
    before = wait_until(lambda: running_site.first_process(program), f"{program} runs")
    before.kill()
    wait_until(lambda: running_site.first_process(program) not in {None, before}, f"{program} runs again")
    wait_until(running_site.answers, "the page answers again")


def test_a_web_process_that_is_killed_is_replaced_while_the_other_answers(running_site: Site) -> None:
    def workers() -> set[int]:
        first = running_site.first_process("web")
        return {one.pid for one in first.children()} if first else set()

    wait_until(lambda: len(workers()) == 2, "two web processes run")
    before = workers()
    os.kill(min(before), signal.SIGKILL)
    wait_until(lambda: len(workers()) == 2 and workers() != before, "two web processes run again")
    assert running_site.answers()


def test_a_second_start_in_the_same_instance_is_refused_with_one_line(running_site: Site) -> None:
    settings = {**running_site.settings, "PORT": str(free_port())}
    ended = subprocess.run(
        [sys.executable, "-m", "deploy.run"],
        cwd=REPOSITORY,
        env=clean_environ(**settings),
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert ended.returncode == 2
    assert ended.stderr.count("\n") == 1
    assert f"already running in {running_site.folder}/instance" in ended.stderr


def test_one_more_worker_joins_the_running_site(running_site: Site) -> None:
    log = running_site.folder / "worker"
    command = [sys.executable, "-m", "deploy.run", "worker", "--queues", "media", "--concurrency", "1"]
    worker = start(command, log, environ=clean_environ(**running_site.settings))
    try:
        wait_until(lambda: " ready." in log.read_text(), "the worker is ready")
    finally:
        worker.terminate()
        worker.wait(20)


def test_no_secret_stands_in_a_command_line_or_in_the_supervisors_configuration(running_site: Site) -> None:
    instance = running_site.folder / "instance"
    password = re.findall(r"requirepass (\S+)", (instance / "run" / "redis.conf").read_text())[0]
    secret_key = (instance / "secret_key").read_text().strip()
    shown = [command_of(one) for one in running_site.family()]
    shown.append((instance / "run" / "supervisord.conf").read_text())
    shown.append(running_site.said())
    for secret in (password, secret_key):
        assert not any(secret in text for text in shown)


def test_sigterm_to_make_leaves_no_process(running_site: Site) -> None:
    wait_until(lambda: running_site.first_process("worker-media"), "the workers run")
    assert running_site.stop() == []
    assert "Stopped." in running_site.said()


def test_the_second_start_shows_the_page_within_five_seconds(running_site: Site) -> None:
    if running_site.make.poll() is None:
        assert running_site.stop() == []
    assert running_site.start() < 5
    assert running_site.stop() == []


def test_ctrl_c_in_the_terminal_leaves_no_process(new_site: Site) -> None:
    new_site.start()
    assert new_site.stop(signal.SIGINT, group=True) == []
    assert not (new_site.folder / "instance" / "run" / "redis_url").exists()


def test_sigint_to_make_alone_leaves_no_process(new_site: Site) -> None:
    new_site.start()
    assert new_site.stop(signal.SIGINT) == []


def test_a_killed_make_or_runner_takes_the_site_along(new_site: Site) -> None:
    new_site.start()
    assert new_site.stop(signal.SIGKILL) == []


def test_a_mistake_in_celerys_settings_ends_the_start_with_its_name(new_site: Site) -> None:
    new_site.settings["CELERY_CONF_TIMEZON"] = "Europe/Paris"
    command = [sys.executable, "-m", "deploy.run"]
    new_site.make = start(command, new_site.folder / "said", environ=clean_environ(**new_site.settings))
    assert new_site.make.wait(60) != 0
    assert "CELERY_CONF_TIMEZON" in new_site.said()


def test_without_redis_the_page_still_comes(new_site: Site) -> None:
    new_site.settings["REDIS_URL"] = f"redis://:secret@127.0.0.1:{free_port()}/0"
    new_site.start()
    assert "does not answer" in new_site.said()
    assert "secret" not in new_site.said()
    assert new_site.first_process("redis") is None
    assert new_site.stop() == []

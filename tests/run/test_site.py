"""`make run` as a person uses it: start, kill what can be killed, stop; nothing may be left."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.run.conftest import clean_environ, start
from tests.run.made_site import PROGRAMS, Site, command_of
from tests.servers import REPOSITORY, free_port, wait_for

pytestmark = pytest.mark.real


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
    wait_for(lambda: line in running_site.said(), what=f"{line} in {running_site.said()}")


@pytest.mark.parametrize("program", PROGRAMS)
def test_what_is_killed_is_started_again(running_site: Site, program: str) -> None:
    before = wait_for(lambda: running_site.first_process(program), 60, f"{program} runs")
    assert before is not None
    before.kill()
    wait_for(lambda: running_site.first_process(program) not in {None, before}, 60, f"{program} runs again")
    wait_for(running_site.answers, 60, "the page answers again")


def test_a_web_process_that_is_killed_is_replaced_while_the_other_answers(running_site: Site) -> None:
    def workers() -> set[int]:
        first = running_site.first_process("web")
        return {one.pid for one in first.children()} if first else set()

    wait_for(lambda: len(workers()) == 2, what="two web processes run")
    before = workers()
    os.kill(min(before), signal.SIGKILL)
    wait_for(lambda: len(workers()) == 2 and workers() != before, what="two web processes run again")
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
        wait_for(lambda: " ready." in log.read_text(), what="the worker is ready")
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
    wait_for(lambda: running_site.first_process("worker-media"), what="the workers run")
    assert running_site.stop() == []
    assert "Stopped." in running_site.said()


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

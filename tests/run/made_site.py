"""`make run` in an instance folder of its own, and what can be asked of it."""

from __future__ import annotations

import os
import re
import signal
import sys
import time
from pathlib import Path

import psutil
import requests

from tests.run.conftest import clean_environ, start
from tests.servers import free_port, wait_for

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
        wait_for(self.answers_or_ended, 60, "the home page answers")
        assert self.make.poll() is None, self.said()
        return time.monotonic() - began

    def answers_or_ended(self) -> bool:
        return self.make.poll() is not None or self.answers()

    def answers(self) -> bool:
        try:
            return requests.get(self.address, timeout=10).status_code < 500
        except requests.RequestException:
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
            self.make.wait(150)  # five programs may each take their twelve seconds, on a busy machine more
        finally:
            _, left = psutil.wait_procs(family, timeout=0 if self.make.poll() is None else 15)
            names = [f"{one.pid} {command_of(one)}" for one in left]
            for one in left:
                one.kill()
        return names

    def end(self) -> None:
        """Cleans up after a failed test."""
        make = getattr(self, "make", None)
        if make is not None and make.poll() is None:
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

"""Replaces the web processes by ones with the code that is here now, while the site is in use: `make renew`.

gunicorn's own reload (SIGHUP) ends the old processes when the new ones begin, and those need seconds until they
answer. So one is added first (TTIN), and when it has loaded the app the oldest is let go (TTOU): it takes no new
connections, finishes what it has, and tells open pages to connect again. The socket is the master's all the time.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

from deploy.database import reason_in
from deploy.family import wait_until
from deploy.settings import ROOT, RunSettings, StartError
from deploy.supervision import web_command

READY_SECONDS = 120
GONE_SECONDS = 30


def workers_of(master: int) -> set[int]:
    """The processes that gunicorn's master started (Linux)."""
    with contextlib.suppress(OSError):
        return {int(pid) for pid in Path(f"/proc/{master}/task/{master}/children").read_text().split()}
    return set()


def ready_workers(run_folder: Path, master: int) -> set[int]:
    """Those that have loaded the app: each leaves a file of its name (gunicorn.conf.py)."""
    names = {int(path.name) for path in (run_folder / "web").glob("*") if path.name.isdecimal()}
    return names & workers_of(master)


def renew_web(master: int, run_folder: Path) -> int:
    """Replaces all web processes of a master; returns how many. Raises StartError: which ones answer stands in it."""
    old = workers_of(master)
    if not old:
        raise StartError("The web server has no processes to replace. Look at its log.")
    for number in range(1, len(old) + 1):
        # One by one: two signals of one kind in a row may arrive as one.
        os.kill(master, signal.SIGTTIN)
        _wait_for_new(master, run_folder, old, number)
        os.kill(master, signal.SIGTTOU)
        wait_until(lambda: len(old & workers_of(master)) <= len(old) - number, GONE_SECONDS)  # noqa: B023
    return len(old)


def _wait_for_new(master: int, run_folder: Path, old: set[int], number: int) -> None:
    """Until so many new processes answer. Raises StartError where they don't."""

    def are_ready() -> bool:
        return len(ready_workers(run_folder, master) - old) >= number

    wait_until(lambda: are_ready() or not workers_of(master), READY_SECONDS)
    if not workers_of(master):
        raise StartError(
            "The new code ended the web server, which is started again and again. Put back the code that was here "
            "before, and it comes back by itself; its log says what is wrong."
        )
    if not are_ready():
        raise StartError(
            f"The new process was not ready after {READY_SECONDS} s; the old ones go on beside it. "
            "Look at the web server's log, mend it, and restart site:web."
        )


def check_code(settings: RunSettings) -> None:
    """Lets a gunicorn of its own load the app: the running one ends altogether when a process can't load it."""
    command = [*web_command(), "--check-config"]
    tried = subprocess.run(command, cwd=ROOT, env=settings.environ, capture_output=True, text=True, check=False)
    if tried.returncode:
        raise StartError(f"The new code does not start, so nothing was replaced: {reason_in(tried.stderr)}")


def renew_site(settings: RunSettings) -> int:
    """Renews the running site of this instance: its web processes in place, then workers and clock by a restart."""
    configuration = settings.run_folder / "supervisord.conf"
    control = [sys.executable, "-m", "supervisor.supervisorctl", "-c", str(configuration)]
    found = subprocess.run([*control, "pid", "site:web"], capture_output=True, text=True, check=False)
    if found.returncode or not found.stdout.strip().isdecimal() or found.stdout.strip() == "0":
        raise StartError("The site does not run in this instance. Start it: make run")
    check_code(settings)
    count = renew_web(int(found.stdout), settings.run_folder)
    print(f"{count} web processes were replaced.", flush=True)
    # They give their jobs back first; nobody waits for these processes at a page.
    for name in ("worker-default", "worker-media", "beat"):
        subprocess.run([*control, "restart", f"site:{name}"], check=False, stdout=subprocess.DEVNULL)
    print("Workers and the clock were started anew.", flush=True)
    return 0

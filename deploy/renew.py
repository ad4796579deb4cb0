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
    """Replaces all web processes of a master; returns how many. Raises StartError, and then the old ones go on."""
    old = workers_of(master)
    if not old:
        raise StartError("The web server has no processes to replace. Look at its log.")
    for number in range(1, len(old) + 1):
        # One by one: two signals of one kind in a row may arrive as one.
        os.kill(master, signal.SIGTTIN)
        if not wait_until(lambda: len(ready_workers(run_folder, master) - old) >= number, READY_SECONDS):  # noqa: B023
            raise StartError(
                f"The new process was not ready after {READY_SECONDS} s; the old ones go on beside it. "
                "Look at the web server's log, mend it, and restart site:web."
            )
        os.kill(master, signal.SIGTTOU)
        wait_until(lambda: len(old & workers_of(master)) <= len(old) - number, GONE_SECONDS)  # noqa: B023
    return len(old)


def check_code(settings: RunSettings) -> None:
    """Loads the app once as a web process would: gunicorn ends altogether when a process can't load it."""
    command = [sys.executable, "-c", "import wsgi"]
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

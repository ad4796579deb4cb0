"""Child programs that can't outlive us: their own group, killed with their parent, with limits."""

import ctypes
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from typing import Any

_PR_SET_PDEATHSIG = 1
# Looked up before the fork: between fork and exec nothing may import or take a lock.
_prctl: Any = ctypes.CDLL(None).prctl if sys.platform == "linux" else None


def child_setup(
    *,
    niceness: int = 0,
    memory_limit_bytes: int | None = None,
    cpu_limit_s: int | None = None,
) -> Callable[[], None]:
    """Return a `preexec_fn` that ties the child's life to ours and sets its limits.

    The kernel watches the thread that forks: it has to wait for the child, as run_ffmpeg and probe do.
    """
    parent_pid = os.getpid()

    def setup() -> None:
        if _prctl is not None:
            _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent_pid:  # we died before the line above could help
            os._exit(127)
        if niceness:
            os.nice(niceness)
        if memory_limit_bytes is not None:
            resource.setrlimit(resource.RLIMIT_AS, (memory_limit_bytes, memory_limit_bytes))
        if cpu_limit_s is not None:
            resource.setrlimit(resource.RLIMIT_CPU, (cpu_limit_s, cpu_limit_s + 1))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

    return setup


def kill_group(child: subprocess.Popen[bytes]) -> None:
    """Kill everything the child started, and reap it. Safe to call when it has ended."""
    try:
        # Its group has the child's pid (start_new_session), and lives until the child is reaped.
        if child.returncode is None:
            os.killpg(child.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    finally:
        child.wait()
        for pipe in (child.stdin, child.stdout, child.stderr):
            if pipe is not None:
                pipe.close()

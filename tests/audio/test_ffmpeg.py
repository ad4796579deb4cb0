import itertools
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from musicapp.audio.errors import CancelledError, EncodeError
from musicapp.audio.ffmpeg import ffmpeg_path, run_ffmpeg

ENDLESS = ["-re", "-f", "lavfi", "-i", "anullsrc", "-f", "null", "-"]


def ffmpeg_children() -> list[psutil.Process]:
    return [child for child in psutil.Process().children(recursive=True) if "ffmpeg" in child.name()]


def test_configured_binary_wins() -> None:
    assert ffmpeg_path("/opt/ffmpeg") == "/opt/ffmpeg"
    assert Path(ffmpeg_path(None)).is_file()
    assert ffmpeg_path("") == ffmpeg_path(None)


def test_exit_and_log_are_returned(ffmpeg: str) -> None:
    ended = run_ffmpeg(ffmpeg, ["-i", "file:/nowhere.mp3", "-f", "null", "-"], time_limit_s=10)
    assert ended.returncode != 0
    assert "No such file" in ended.log


def test_output_and_progress_arrive(ffmpeg: str) -> None:
    pcm: list[bytes] = []
    progress: list[tuple[int, float]] = []
    ended = run_ffmpeg(
        ffmpeg,
        ["-f", "lavfi", "-i", "sine=d=3:r=8000", "-f", "s16le", "pipe:1"],
        time_limit_s=20,
        on_stdout=pcm.append,
        on_progress=lambda out_time_ms, speed: progress.append((out_time_ms, speed)),
    )
    assert ended.returncode == 0
    assert sum(map(len, pcm)) == 3 * 8000 * 2
    assert max(map(len, pcm)) <= 65536
    assert progress[-1][0] == 3000
    assert progress[-1][1] > 0


def test_callback_can_cancel_and_nothing_is_left(ffmpeg: str) -> None:
    began = time.monotonic()

    def cancel(_out_time_ms: int, _speed: float) -> None:
        if time.monotonic() - began > 1:
            assert ffmpeg_children()
            raise CancelledError

    with pytest.raises(CancelledError):
        run_ffmpeg(ffmpeg, ENDLESS, time_limit_s=60, on_progress=cancel)
    assert time.monotonic() - began < 3
    assert not ffmpeg_children()


def test_cancel_works_while_ffmpeg_prints_nothing(tmp_path: Path) -> None:
    silent = tmp_path / "ffmpeg"
    silent.write_text(f"#!/bin/sh\nsleep 60 &\necho $! >{tmp_path}/grandchild\nsleep 60\n")
    silent.chmod(0o755)
    calls = []

    def cancel(_out_time_ms: int, _speed: float) -> None:
        calls.append(time.monotonic())
        if len(calls) == 3:
            raise CancelledError

    with pytest.raises(CancelledError):
        run_ffmpeg(str(silent), [], time_limit_s=60, on_progress=cancel)
    assert max(b - a for a, b in itertools.pairwise(calls)) < 1
    # The whole group is gone: also what the child had started itself.
    grandchild = int((tmp_path / "grandchild").read_text())
    if psutil.pid_exists(grandchild):
        assert not psutil.wait_procs([psutil.Process(grandchild)], timeout=5)[1]


def test_time_limit_stops_it(ffmpeg: str) -> None:
    with pytest.raises(EncodeError) as stopped:
        run_ffmpeg(ffmpeg, ENDLESS, time_limit_s=0.7)
    assert stopped.value.reason == "time_limit"
    assert not ffmpeg_children()


def test_missing_ffmpeg_is_a_clear_error_and_leaks_no_descriptor() -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    with pytest.raises(EncodeError) as missing:
        run_ffmpeg("/nowhere/ffmpeg", [], time_limit_s=1)
    assert missing.value.reason == "ffmpeg_missing"
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_ffmpeg_dies_with_a_killed_parent() -> None:
    program = (
        "from musicapp.audio.ffmpeg import ffmpeg_path, run_ffmpeg\n"
        f"run_ffmpeg(ffmpeg_path(), {ENDLESS!r}, time_limit_s=60)\n"
    )
    repository = Path(__file__).resolve().parents[2]
    with subprocess.Popen([sys.executable, "-c", program], cwd=repository) as parent:
        deadline = time.monotonic() + 20
        children: list[psutil.Process] = []
        while not children and time.monotonic() < deadline:
            children = [c for c in psutil.Process(parent.pid).children() if "ffmpeg" in c.name()]
            time.sleep(0.02)  # nothing announces a new child
        assert children
        parent.send_signal(signal.SIGKILL)
    gone, alive = psutil.wait_procs(children, timeout=5)
    assert gone
    assert not alive

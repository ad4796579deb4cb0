"""Runs ffmpeg so that it can be watched, stopped and never left behind."""

import os
import selectors
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import imageio_ffmpeg

from musicapp.audio.children import child_setup, kill_group
from musicapp.audio.errors import EncodeError

OnProgress = Callable[[int, float], None]

# A playlist or a concat script named .mp3 must not make ffmpeg read other files of this machine:
# only demuxers that read the file they were given.
AUDIO_DEMUXERS = (
    "aac,ac3,aiff,amr,ape,asf,au,caf,dsf,dts,eac3,flac,matroska,webm,mov,mp4,m4a,3gp,3g2,mj2,"
    "mp3,mpc,mpc8,ogg,tak,tta,w64,wav,wv"
)

_LOG_BYTES = 64 * 1024
_CHUNK_BYTES = 64 * 1024
# Callers cancel from on_progress, so it must be called even while ffmpeg prints nothing.
_TICK_S = 0.5


def ffmpeg_path(configured: str | None = None) -> str:
    """Return the ffmpeg to run: the configured one, else the binary that imageio-ffmpeg carries."""
    return configured or str(imageio_ffmpeg.get_ffmpeg_exe())


def file_url(path: Path) -> str:
    """Name a file so that ffmpeg can't take it for an option or for another protocol."""
    return f"file:{path.absolute()}"


@dataclass(frozen=True, slots=True)
class FfmpegExit:
    """How a run ended."""

    returncode: int
    log: str
    """The last 64 KiB of what it said."""

    @property
    def is_disk_full(self) -> bool:
        return "No space left on device" in self.log or "Disk quota exceeded" in self.log


def run_ffmpeg(
    ffmpeg: str,
    arguments: Sequence[str],
    *,
    time_limit_s: float,
    niceness: int = 0,
    on_stdout: Callable[[bytes], None] | None = None,
    on_log: Callable[[bytes], None] | None = None,
    on_progress: OnProgress | None = None,
) -> FfmpegExit:
    """Run ffmpeg to its end and return its exit.

    `on_stdout(chunk)` gets what it writes to pipe:1, at most 64 KiB at a time; ffmpeg waits while it
    runs, so memory stays flat. `on_log(chunk)` gets its standard error as it comes.
    `on_progress(out_time_ms, speed)` is called at least once a second; speed is in multiples of real
    time. Whatever any of them raises stops ffmpeg and is passed on.
    Raises EncodeError ("ffmpeg_missing", "time_limit"). No child is left when this returns or raises.
    """
    progress_read, progress_write = os.pipe()
    command = [
        ffmpeg, "-hide_banner", "-nostdin", "-nostats", "-y",
        "-progress", f"pipe:{progress_write}", "-stats_period", str(_TICK_S),
        *arguments,
    ]  # fmt: skip
    try:
        child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if on_stdout else subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,
            pass_fds=(progress_write,),
            preexec_fn=child_setup(niceness=niceness),
        )
    except OSError as error:
        os.close(progress_read)
        raise EncodeError(
            "ffmpeg_missing", f"ffmpeg could not be started ({error.strerror}). Check FFMPEG_BINARY."
        ) from error
    finally:
        os.close(progress_write)
    try:
        deadline = time.monotonic() + time_limit_s
        return _watch(child, progress_read, deadline, on_stdout, on_log, on_progress)
    finally:
        kill_group(child)
        os.close(progress_read)


def _watch(
    child: subprocess.Popen[bytes],
    progress_fd: int,
    deadline: float,
    on_stdout: Callable[[bytes], None] | None,
    on_log: Callable[[bytes], None] | None,
    on_progress: OnProgress | None,
) -> FfmpegExit:
    assert child.stderr is not None
    log = bytearray()
    progress = _Progress()
    last_tick = time.monotonic()

    def take_log(chunk: bytes) -> None:
        log.extend(chunk)
        del log[:-_LOG_BYTES]
        if on_log:
            on_log(chunk)

    with selectors.DefaultSelector() as selector:
        selector.register(child.stderr.fileno(), selectors.EVENT_READ, take_log)
        selector.register(progress_fd, selectors.EVENT_READ, progress.feed)
        if child.stdout is not None:
            selector.register(child.stdout.fileno(), selectors.EVENT_READ, on_stdout)
        while selector.get_map():
            for key, _ in selector.select(timeout=_TICK_S):
                chunk = os.read(key.fd, _CHUNK_BYTES)
                if chunk:
                    key.data(chunk)
                else:
                    selector.unregister(key.fd)
            now = time.monotonic()
            if now > deadline:
                raise EncodeError("time_limit", "Processing took longer than allowed and was stopped. Try again later.")
            if on_progress and now - last_tick >= _TICK_S:
                last_tick = now
                on_progress(progress.out_time_ms, progress.speed)
    # Every pipe is closed, so it is exiting: nothing is left to wait for but the kernel.
    try:
        returncode = child.wait(timeout=10)
    except subprocess.TimeoutExpired:
        raise EncodeError("time_limit", "ffmpeg did not end and was stopped. Try again.") from None
    if on_progress:
        on_progress(progress.out_time_ms, progress.speed)
    return FfmpegExit(returncode, log.decode("utf-8", "replace"))


class _Progress:
    """Reads ffmpeg's key=value progress lines."""

    def __init__(self) -> None:
        self.out_time_ms = 0
        self.speed = 0.0
        self._rest = b""

    def feed(self, chunk: bytes) -> None:
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        for line in lines:
            key, _, value = line.decode("ascii", "replace").strip().partition("=")
            try:
                if key == "out_time_us":
                    self.out_time_ms = max(self.out_time_ms, int(value) // 1000)
                elif key == "speed":
                    self.speed = float(value.rstrip("x"))
            except ValueError:
                continue  # "N/A" until the first packet

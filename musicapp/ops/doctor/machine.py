"""This machine: the disk, ffmpeg, limits, and what was left behind."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from flask import current_app

from musicapp.audio.ffmpeg import ffmpeg_path
from musicapp.audio.ladder import parse_profiles
from musicapp.core.pages import size_words
from musicapp.core.settings import setting
from musicapp.core.storage import store
from musicapp.ops.doctor.registry import OK, PROBLEM, WARNING, Finding, check

LITTLE_SPACE_BYTES = 5 * 1000**3
FEW_FILES = 4096
LEFT_FOR_S = 2 * 24 * 3600
ENCODERS = {"opus": "libopus", "mp3": "libmp3lame", "aac": "aac", "flac": "flac", "vorbis": "libvorbis"}


@check("media store")
def storage() -> Finding:
    root = store().root
    probe = root / f".doctor-{os.getpid()}"
    try:
        root.mkdir(parents=True, exist_ok=True)
        probe.write_bytes(b"x")
        probe.unlink()
        free = shutil.disk_usage(root).free
    except OSError as error:
        words = f"{root} can't be written: {error.strerror or error}."
        return Finding(PROBLEM, words, "Give the folder to the user that musicapp runs as, or set MEDIA_PATH.")
    reserve = int(setting("DISK_RESERVE_BYTES"))
    if free <= reserve:
        return Finding(
            PROBLEM,
            f"Only {size_words(free)} are free at {root}: uploads are refused.",
            "Make room, or move the store: copy the folder, set MEDIA_PATH, start again.",
        )
    if free < LITTLE_SPACE_BYTES:
        return Finding(WARNING, f"Only {size_words(free)} are free at {root}.", "Make room before uploads are refused.")
    return Finding(OK, f"{size_words(free)} free at {root}")


@check("ffmpeg")
def ffmpeg() -> Finding:
    program = ffmpeg_path(setting("FFMPEG_BINARY"))
    mend = "Leave FFMPEG_BINARY out to use the one that comes with musicapp, or install a complete ffmpeg."
    try:
        done = subprocess.run([program, "-hide_banner", "-encoders"], capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired) as error:
        return Finding(PROBLEM, f"{program} does not run: {error}. Tracks play from their originals only.", mend)
    if done.returncode != 0:
        return Finding(PROBLEM, f"{program} ends with {done.returncode}.", mend)
    has = {line.split()[1] for line in done.stdout.splitlines() if len(line.split()) > 1}
    profiles = parse_profiles([name.strip() for name in str(setting("RENDITIONS")).split(",")])
    wanted = {name.name.partition("_")[0] for name in profiles}
    missing = sorted(ENCODERS[codec] for codec in wanted if codec in ENCODERS and ENCODERS[codec] not in has)
    if missing:
        words = f"{program} has no {', '.join(missing)}, which RENDITIONS asks for."
        return Finding(PROBLEM, words, f"{mend} Or take them out of RENDITIONS.")
    return Finding(OK, f"{program} has all encoders that RENDITIONS asks for")


@check("open files")
def open_files() -> Finding:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= int(setting("LIVE_MAX_STREAMS")):
        return Finding(OK, f"at most {soft}")
    if hard == resource.RLIM_INFINITY or hard >= int(setting("LIVE_MAX_STREAMS")):
        return Finding(OK, f"at most {soft}; make run raises it up to {hard}")
    status = PROBLEM if hard < FEW_FILES else WARNING
    return Finding(
        status,
        f"A process may open {hard} files, and each open page is one. LIVE_MAX_STREAMS={setting('LIVE_MAX_STREAMS')}.",
        "Raise the limit: LimitNOFILE=65536 under systemd, ulimits in docker-compose.yml; or lower LIVE_MAX_STREAMS.",
    )


@check("instance folder")
def instance_folder() -> Finding:
    folder = Path(current_app.instance_path)
    if not os.access(folder, os.W_OK | os.X_OK):
        return Finding(PROBLEM, f"{folder} can't be written.", "Give it to the user that musicapp runs as.")
    free = shutil.disk_usage(folder).free
    if free < int(setting("DISK_RESERVE_BYTES")):
        return Finding(PROBLEM, f"Only {size_words(free)} are free at {folder}.", "Make room: the database must grow.")
    return Finding(OK, f"{folder} can be written")


@check("leftovers")
def leftovers() -> Iterator[Finding]:
    scratch = [folder for folder in (store().root / "scratch").glob("*") if _is_old(folder)]
    if scratch:
        yield Finding(
            WARNING,
            f"{len(scratch)} folders of broken-off work in {store().root / 'scratch'} are older than two days.",
            "The clock removes them every night; if it runs, run uploads.sweep now: flask --app wsgi tasks run "
            "uploads.sweep",
        )
    saved = sorted(Path(current_app.instance_path).glob("before-restore-*.musicapp"))
    if saved:
        yield Finding(WARNING, f"{len(saved)} backups made by restores are still here.", f"Delete what is not needed: "
                      f"{saved[0].parent}/before-restore-*")  # fmt: skip
    if not scratch and not saved:
        yield Finding(OK, "none")


def _is_old(folder: Path) -> bool:
    try:
        return time.time() - folder.stat().st_mtime > LEFT_FOR_S
    except OSError:
        return False

"""From a received file to a ready track, with the real ffmpeg."""

from __future__ import annotations

import hashlib
import json
import stat
import threading
from pathlib import Path

import pytest
from flask import Flask

from musicapp.audio.ffmpeg import ffmpeg_path
from musicapp.catalog import services as catalog
from musicapp.catalog.models import Album, Original, Rendition, Track
from musicapp.core.db import db
from musicapp.jobs import services as jobs
from musicapp.jobs.models import Job
from musicapp.uploads.models import Upload
from tests.audio import make
from tests.servers import wait_for
from tests.uploads.conftest import Cast, accept, copy_of, only_upload, path_of, rows, stored_files, work


def job_of(app: Flask, kind: str) -> Job:
    [job] = [job for job in rows(app, Job) if job.kind == kind]
    return job


def test_probed_file_is_a_track_that_plays_from_its_original(
    app: Flask, cast: Cast, media: Path, tone_flac: Path, tmp_path: Path
) -> None:
    accept(app, cast, copy_of(tone_flac, tmp_path), "03 whatever.flac")
    work(app, "probe_upload")
    [track] = rows(app, Track)
    [original] = rows(app, Original)
    assert (track.title, track.disc_number, track.track_number, track.ready_at) == ("Blue Hour", 2, 3, None)
    assert (original.codec, original.is_browser_playable, original.owner_id) == ("flac", True, cast.alice)
    upload = only_upload(app)
    assert (upload.state, upload.track_id, upload.key) == ("probed", track.id, original.key)
    assert path_of(app, upload).read_bytes() == tone_flac.read_bytes()
    assert job_of(app, "encode_track").state == "queued"


def test_encoded_track_is_ready_with_everything(
    app: Flask, cast: Cast, media: Path, tone_flac: Path, tmp_path: Path
) -> None:
    accept(app, cast, copy_of(tone_flac, tmp_path))
    work(app)
    [track] = rows(app, Track)
    [original] = rows(app, Original)
    assert track.ready_at is not None
    assert track.duration_ms == pytest.approx(2000, abs=30)
    assert track.integrated_loudness_lufs is not None
    assert original.sha256 == hashlib.sha256(tone_flac.read_bytes()).hexdigest()
    renditions = rows(app, Rendition)
    assert {r.profile for r in renditions} == {"opus_64", "opus_128", "mp3_256"}
    for rendition in renditions:
        assert rendition.key.startswith(f"renditions/{track.id}/")
        assert (media / rendition.key).stat().st_size == rendition.size_bytes
    assert track.waveform_key
    assert track.preview_key
    waveform = json.loads((media / track.waveform_key).read_text())
    assert (waveform["version"], len(waveform["data"])) == (2, 2 * waveform["length"])
    assert (media / track.preview_key).stat().st_size > 1000
    assert only_upload(app).state == "ready"
    encode = job_of(app, "encode_track")
    assert (encode.state, encode.error) == ("succeeded", None)
    assert encode.result is not None
    assert encode.result["failed"] == []
    assert stored_files(media) == ["originals"] + ["renditions"] * 5


def test_untagged_file_is_named_by_its_file_name(app: Flask, cast: Cast, tone_mp3: Path, tmp_path: Path) -> None:
    accept(app, cast, copy_of(tone_mp3, tmp_path), "../../07 - Über_den Wolken.mp3")
    work(app, "probe_upload")
    [track] = rows(app, Track)
    assert (track.title, track.track_number) == ("Über den Wolken", 7)
    assert only_upload(app).filename == "07 - Über_den Wolken.mp3"


def test_original_that_browsers_can_not_play_plays_after_encoding(app: Flask, cast: Cast, tmp_path: Path) -> None:
    accept(app, cast, make.tone(tmp_path / "tone.aiff"))
    work(app)
    [original] = rows(app, Original)
    assert not original.is_browser_playable
    [track] = rows(app, Track)
    assert track.ready_at is not None


def test_embedded_cover_becomes_the_albums_once(app: Flask, cast: Cast, media: Path, tmp_path: Path) -> None:
    tone, cover = make.tone(tmp_path / "a.mp3"), make.picture(tmp_path / "cover.png")
    for number in (1, 2):
        accept(app, cast, make.with_cover(tone, cover, tmp_path / f"{number}.mp3"))
    work(app)
    with app.app_context():
        assert db.session.get_one(Album, cast.album).cover_id is not None
    assert len([job for job in rows(app, Job) if job.kind == "make_album_cover"]) == 1


def test_bomb_as_embedded_cover_costs_the_cover_alone(app: Flask, cast: Cast, media: Path, tmp_path: Path) -> None:
    bomb = make.picture(tmp_path / "bomb.png", size="9000x9000")
    accept(app, cast, make.with_cover(make.tone(tmp_path / "a.mp3"), bomb, tmp_path / "with.mp3"))
    work(app)
    [track] = rows(app, Track)
    assert track.ready_at is not None
    cover = job_of(app, "make_album_cover")
    assert cover.state == "failed"
    assert cover.error
    assert stored_files(media).count("originals") == 1


def test_probing_twice_makes_one_track(app: Flask, cast: Cast, tone_mp3: Path, tmp_path: Path) -> None:
    accept(app, cast, copy_of(tone_mp3, tmp_path))
    work(app, "probe_upload")
    with app.app_context():
        db.session.execute(db.update(Job).where(Job.kind == "probe_upload").values(state="queued"))
        db.session.commit()
    work(app, "probe_upload")
    assert len(rows(app, Track)) == 1


def test_encoding_twice_leaves_one_set_of_files(
    app: Flask, cast: Cast, media: Path, tone_mp3: Path, tmp_path: Path
) -> None:
    accept(app, cast, copy_of(tone_mp3, tmp_path))
    work(app)
    before = stored_files(media)
    with app.app_context():
        db.session.execute(db.update(Job).where(Job.kind == "encode_track").values(state="queued"))
        db.session.commit()
    work(app)
    assert stored_files(media) == before
    [track] = rows(app, Track)
    assert track.ready_at is not None


def test_same_file_twice_on_an_album_is_said_and_kept(app: Flask, cast: Cast, tone_mp3: Path, tmp_path: Path) -> None:
    for name in ("first.mp3", "second.mp3"):
        accept(app, cast, copy_of(tone_mp3, tmp_path), name)
        work(app)
    first, second = rows(app, Upload)
    assert (first.state, first.error) == ("ready", None)
    assert second.state == "ready"
    assert "first" in (second.error or "")
    assert len(rows(app, Track)) == 2


def ffmpeg_that(app: Flask, tmp_path: Path, script: str) -> None:
    """Puts a program in ffmpeg's place that runs `script`, in which $REAL is ffmpeg."""
    program = tmp_path / "ffmpeg"
    program.write_text(f"#!/bin/sh\nREAL='{ffmpeg_path()}'\n{script}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    app.config["FFMPEG_BINARY"] = str(program)


def test_one_failing_encoder_costs_its_own_rendition(
    app: Flask, cast: Cast, media: Path, tone_flac: Path, tmp_path: Path
) -> None:
    script = 'for word in "$@"; do case "$word" in *mp3_256*) echo "Error: no such encoder" >&2; exit 1;; esac; done'
    ffmpeg_that(app, tmp_path, script + '\nexec "$REAL" "$@"')
    accept(app, cast, copy_of(tone_flac, tmp_path))
    work(app)
    [track] = rows(app, Track)
    assert track.ready_at is not None
    assert {r.profile for r in rows(app, Rendition)} == {"opus_64", "opus_128"}
    upload = only_upload(app)
    assert upload.state == "ready"
    assert "mp3_256" in (upload.error or "")


def test_failed_encoding_keeps_the_track_and_can_be_tried_again(
    app: Flask, cast: Cast, media: Path, tone_flac: Path, tmp_path: Path
) -> None:
    ffmpeg_that(app, tmp_path, 'case "$*" in *libopus*|*libmp3lame*) exit 1;; esac\nexec "$REAL" "$@"')
    accept(app, cast, copy_of(tone_flac, tmp_path))
    work(app)
    job = job_of(app, "encode_track")
    assert job.state == "failed"
    assert "rendition" in (job.error or "")
    [track] = rows(app, Track)
    assert track.ready_at is None
    assert stored_files(media) == ["originals"]
    app.config["FFMPEG_BINARY"] = None
    with app.app_context():
        assert jobs.retry(db.session.get_one(Job, job.id))
        db.session.commit()
    work(app)
    [track] = rows(app, Track)
    assert track.ready_at is not None


def test_cancelled_encoding_leaves_the_track_and_nothing_in_scratch(
    app: Flask, cast: Cast, media: Path, tone_flac: Path, tmp_path: Path
) -> None:
    ffmpeg_that(app, tmp_path, f"touch {tmp_path}/started; sleep 60")
    accept(app, cast, copy_of(tone_flac, tmp_path))
    work(app, "probe_upload")
    job = job_of(app, "encode_track")

    def cancel_once_it_runs() -> None:
        wait_for((tmp_path / "started").exists)
        with app.app_context():
            assert jobs.cancel(db.session.get_one(Job, job.id))
            db.session.commit()

    person = threading.Thread(target=cancel_once_it_runs)
    person.start()
    work(app)
    person.join()
    assert job_of(app, "encode_track").state == "cancelled"
    assert len(rows(app, Track)) == 1
    assert only_upload(app).state == "probed"
    assert stored_files(media) == ["originals"]


def test_album_deleted_meanwhile_keeps_the_file_for_trying_again(
    app: Flask, cast: Cast, tone_mp3: Path, tmp_path: Path
) -> None:
    accept(app, cast, copy_of(tone_mp3, tmp_path))
    with app.app_context():
        catalog.delete_album(cast.album)
        db.session.commit()
    work(app)
    job = job_of(app, "probe_upload")
    assert job.state == "failed"
    assert "Restore" in (job.error or "")
    assert path_of(app, only_upload(app)).is_file()
    with app.app_context():
        catalog.restore_album(cast.album)
        jobs.retry(db.session.get_one(Job, job.id))
        db.session.commit()
    work(app)
    [track] = rows(app, Track)
    assert track.ready_at is not None

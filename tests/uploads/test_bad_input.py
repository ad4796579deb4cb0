"""Files that can't be used: a clear reason, and nothing lost or left behind."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from musicapp.catalog.models import Original, Track
from musicapp.core.db import db
from musicapp.core.storage import FolderStore
from musicapp.jobs.models import ENDED, Job
from musicapp.uploads.filenames import MAX_LENGTH, clean_filename
from musicapp.uploads.models import Upload
from musicapp.uploads.queries import kept_by
from tests.audio import make
from tests.audio.conftest import samples  # noqa: F401 - the fixture
from tests.uploads.conftest import (
    Cast,
    TusClient,
    accept,
    copy_of,
    flashed,
    only_upload,
    rows,
    send_form,
    stored_files,
    work,
)


def refusal(app: Flask, cast: Cast, media: Path, file: Path) -> str:
    """Sends the file through everything and returns the reason; nothing of it may be left."""
    accept(app, cast, file)
    work(app)
    upload = only_upload(app)
    assert upload.state == "failed"
    assert upload.error
    assert any(job.state == "failed" and job.error == upload.error for job in rows(app, Job))
    assert rows(app, Track) == []
    assert stored_files(media) == []
    with app.app_context():
        kept = kept_by(cast.alice)
    assert (kept.used_bytes, kept.used_ms) == (0, 0)
    return upload.error


def written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def test_text_named_mp3_is_refused(app: Flask, cast: Cast, media: Path, tmp_path: Path) -> None:
    assert "No audio" in refusal(app, cast, media, written(tmp_path / "a.mp3", b"Dear diary, " * 1000))


def test_picture_named_mp3_is_refused(app: Flask, cast: Cast, media: Path, tmp_path: Path) -> None:
    picture = make.picture(tmp_path / "a.jpg").rename(tmp_path / "a.mp3")
    assert "picture" in refusal(app, cast, media, picture)


def test_empty_file_is_refused(app: Flask, cast: Cast, media: Path, tmp_path: Path) -> None:
    assert "empty" in refusal(app, cast, media, written(tmp_path / "a.mp3", b""))


def test_empty_file_by_tus_is_refused_in_the_same_words(app: Flask, cast: Cast, media: Path, tus: TusClient) -> None:
    tus.send(b"", cast.album)
    work(app)
    assert "empty" in (only_upload(app).error or "")


def test_file_cut_off_behind_its_tags_is_refused(app: Flask, cast: Cast, media: Path, tmp_path: Path) -> None:
    tone = make.tone(tmp_path / "tone.flac", tags=make.TAGS)
    assert refusal(app, cast, media, written(tmp_path / "cut.flac", tone.read_bytes()[:200]))


def test_truncated_file_plays_as_far_as_it_goes(app: Flask, cast: Cast, tmp_path: Path) -> None:
    tone = make.tone(tmp_path / "tone.mp3", seconds=4)
    accept(app, cast, make.cut(tone, tmp_path / "half.mp3", 0.5))
    work(app)
    [track] = rows(app, Track)
    assert track.duration_ms == pytest.approx(2000, abs=150)


def test_tiny_file_that_plays_for_hours_is_refused(app: Flask, cast: Cast, media: Path, tmp_path: Path) -> None:
    app.config["TRACK_MAX_SECONDS"] = 600
    hours = make.silence(tmp_path / "hours.opus", minutes=60)
    assert hours.stat().st_size < 1_000_000
    assert "10" in refusal(app, cast, media, hours)


def test_more_hours_than_the_quota_are_refused_in_its_words(
    app: Flask, cast: Cast, media: Path, tmp_path: Path
) -> None:
    with app.app_context():
        db.session.execute(db.text("UPDATE users SET quota_seconds = 3"))
        db.session.commit()
    reason = refusal(app, cast, media, make.tone(tmp_path / "tone.mp3", seconds=10))
    assert "hours of music left" in reason


def test_hours_used_up_shut_the_door(app: Flask, cast: Cast, tus: TusClient) -> None:
    app.config["USER_QUOTA_HOURS"] = 0
    answer = tus.create(100, cast.album)
    assert answer.status_code == 413
    assert "hours" in answer.json["error"]  # type: ignore[index]


def test_file_over_the_quota_is_refused_by_the_form(app: Flask, cast: Cast, media: Path, alice: FlaskClient) -> None:
    app.config["USER_QUOTA_BYTES"] = 1000
    send_form(alice, cast, ("big.mp3", bytes(2000)), ("small.mp3", bytes(100)))
    assert [upload.filename for upload in rows(app, Upload)] == ["small.mp3"]
    assert "big.mp3" in flashed(alice)


@pytest.mark.parametrize("suffix", [".mp3", ".txt", ".exe", ""])
def test_wrong_extension_does_not_matter(app: Flask, cast: Cast, tmp_path: Path, suffix: str) -> None:
    tone = make.tone(tmp_path / "tone.flac")
    accept(app, cast, tone, f"song{suffix}")
    work(app, "probe_upload")
    [original] = rows(app, Original)
    assert original.container == "flac"


def test_twenty_thousand_comments_do_no_harm(app: Flask, cast: Cast, tmp_path: Path, tone_flac: Path) -> None:
    accept(app, cast, make.flac_with_comments(tone_flac, tmp_path / "many.flac", 20_000))
    work(app)
    [track] = rows(app, Track)
    assert track.ready_at is not None


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\music\\a.mp3", "a.mp3"),
        ("/etc/shadow", "shadow"),
        ("..", "untitled"),
        ("", "untitled"),
        ("a\x00b\n\r.mp3", "ab.mp3"),
        ("\u202egnp.exe.mp3", "gnp.exe.mp3"),
        ("x" * 400 + ".flac", "x" * (MAX_LENGTH - 5) + ".flac"),
        ("\udcff.mp3", "?.mp3"),
        ("東方 – ñandú.ogg", "東方 – ñandú.ogg"),
    ],
)
def test_path_tricks_in_names_are_only_names(raw: str, clean: str) -> None:
    assert clean_filename(raw) == clean


def test_path_tricks_stay_in_the_store(app: Flask, cast: Cast, media: Path, tus: TusClient) -> None:
    tus.send(b"x", cast.album, "../../../tmp/evil\x00.mp3")
    upload = only_upload(app)
    assert upload.filename == "evil.mp3"
    assert upload.key.startswith("originals/")
    assert ".." not in upload.key


@pytest.fixture
def small_disk(app: Flask, tmp_path: Path) -> FolderStore:
    """The store on a disk of 2 MiB."""
    root = tmp_path / "small"
    root.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "none", str(root)], capture_output=True)
    if mounted.returncode != 0:
        if os.environ.get("CI"):
            pytest.fail(f"no tmpfs can be mounted: {mounted.stderr.decode()}")
        pytest.skip("mounting a tmpfs needs root")
    app.config["MEDIA_PATH"] = str(root)
    app.extensions["store"] = FolderStore(root, 0)
    return app.extensions["store"]  # type: ignore[no-any-return]


@pytest.fixture
def unmount(tmp_path: Path) -> object:
    yield
    subprocess.run(["umount", str(tmp_path / "small")], capture_output=True)


def test_full_disk_refuses_in_words_and_goes_on_when_there_is_room(
    unmount: object, small_disk: FolderStore, app: Flask, cast: Cast, tus: TusClient
) -> None:
    content = os.urandom(1_500_000)
    created = tus.create(len(content), cast.album)
    assert created.status_code == 201
    ballast = written(small_disk.root / "ballast", bytes(1_500_000))
    address = created.headers["Location"]
    answer = tus.patch(address, 0, content)
    assert answer.status_code == 507
    assert "disk is full" in answer.json["error"]  # type: ignore[index]
    ballast.unlink()
    kept_bytes = int(tus.head(address).headers["Upload-Offset"])
    assert tus.patch(address, kept_bytes, content[kept_bytes:]).status_code == 204
    assert small_disk.path(only_upload(app).key).read_bytes() == content


def test_full_disk_at_the_form_keeps_nothing_and_says_so(
    unmount: object, small_disk: FolderStore, app: Flask, cast: Cast, alice: FlaskClient
) -> None:
    send_form(alice, cast, ("big.mp3", os.urandom(3_000_000)))
    assert rows(app, Upload) == []
    assert [path for path in small_disk.root.rglob("*") if path.is_file()] == []
    assert "disk is full" in flashed(alice)


def test_full_disk_while_encoding_waits_and_then_succeeds(
    unmount: object, small_disk: FolderStore, app: Flask, cast: Cast, tmp_path: Path, tone_flac: Path
) -> None:
    accept(app, cast, copy_of(tone_flac, tmp_path))
    free_bytes = small_disk.free_bytes()
    ballast = written(small_disk.root / "ballast", bytes(free_bytes - 20_000))
    work(app)
    [job] = [job for job in rows(app, Job) if job.kind == "encode_track"]
    assert job.state == "queued"
    assert "disk is full" in (job.error or "")
    ballast.unlink()
    with app.app_context():
        db.session.execute(db.update(Job).values(run_at=db.func.now()))
        db.session.execute(db.update(Job).values(run_at=Job.created_at))
        db.session.commit()
    work(app)
    [track] = rows(app, Track)
    assert track.ready_at is not None


@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    "database_url", ["sqlite"], indirect=True
)  # minutes of encoding; the database is not the point
def test_real_files_are_taken_or_refused_and_leave_nothing_behind(
    app: Flask,
    cast: Cast,
    media: Path,
    tmp_path: Path,
    samples: Path,  # noqa: F811
) -> None:
    for group in ("good", "bad", "odd"):
        for file in sorted((samples / "audio" / group).iterdir()):
            copy = tmp_path / f"copy{file.suffix}"
            copy.write_bytes(file.read_bytes())
            upload_id = accept(app, cast, copy, file.name)
            work(app)
            with app.app_context():
                upload = db.session.get_one(Upload, upload_id)
                about = (group, file.name, upload.state, upload.error)
                assert upload.state == {"good": "ready", "bad": "failed"}.get(group, upload.state), about
                assert upload.state in {"ready", "failed"}, about
                assert upload.error or upload.state == "ready", about
    # what is told of them waits a moment for more files
    assert all(job.state in ENDED for job in rows(app, Job) if not job.kind.startswith("tell"))
    named = {original.key for original in rows(app, Original)}
    originals = {str(path.relative_to(media)) for path in (media / "originals").rglob("*") if path.is_file()}
    assert originals == named

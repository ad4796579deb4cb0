"""alice publishes music on an album of her own; charlie must see nothing of it."""

from __future__ import annotations

import base64
import secrets
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from musicapp.catalog.models import Album, AlbumCredit, Artist, ArtistMember
from musicapp.core.db import db
from musicapp.jobs import runner
from musicapp.uploads import services
from musicapp.uploads.models import Upload
from tests.audio import make
from tests.people import register, sign_in

M = TypeVar("M")


@dataclass(frozen=True)
class Cast:
    """Ids of who is there."""

    alice: int
    bob: int
    charlie: int
    album: int
    """alice's."""
    bobs_album: int


def make_album(owner_id: int, title: str) -> int:
    artist = Artist(name=f"The {title}", sort_name=title)
    db.session.add(artist)
    db.session.flush()
    db.session.add(ArtistMember(artist_id=artist.id, user_id=owner_id))
    album = Album(artist_id=artist.id, title=title, sort_title=title, created_by_id=owner_id)
    album.credits = [AlbumCredit(artist_id=artist.id, credited_as=artist.name)]
    db.session.add(album)
    db.session.flush()
    return album.id


def make_cast(app: Flask) -> Cast:
    alice, bob, charlie = (register(app, name) for name in ("alice", "bob", "charlie"))
    with app.app_context():
        cast = Cast(alice, bob, charlie, make_album(alice, "Tides"), make_album(bob, "Dunes"))
        db.session.commit()
    return cast


@pytest.fixture
def cast(app: Flask) -> Cast:
    # No context stays pushed: requests would share it, and with it who is signed in.
    return make_cast(app)


@pytest.fixture
def alice(app: Flask, cast: Cast) -> FlaskClient:
    return sign_in(app, cast.alice)


@pytest.fixture
def charlie(app: Flask, cast: Cast) -> FlaskClient:
    return sign_in(app, cast.charlie)


@pytest.fixture
def media(app: Flask) -> Iterator[Path]:
    """The store's folder. Whatever a test does, its scratch folder is empty afterwards."""
    root = Path(app.config["MEDIA_PATH"])
    yield root
    scratch = root / "scratch"
    assert not scratch.exists() or not list(scratch.iterdir())


def rows(app: Flask, model: type[M]) -> list[M]:
    """Every row of a table, to look at."""
    with app.app_context():
        found = list(db.session.scalars(db.select(model).order_by(*model.__table__.primary_key)))  # type: ignore[attr-defined]
        db.session.expunge_all()
        return found


def only_upload(app: Flask) -> Upload:
    [upload] = rows(app, Upload)
    return upload


def path_of(app: Flask, upload: Upload) -> Path:
    return Path(app.config["MEDIA_PATH"]) / upload.key


KINDS = ("probe_upload", "encode_track", "make_album_cover")


def work(app: Flask, *kinds: str) -> None:
    """Does all waiting jobs, as workers would, until none is due."""
    with app.app_context():
        while any(runner.run_next(kind) is not None for kind in kinds or KINDS):
            pass


def accept(app: Flask, cast: Cast, file: Path, filename: str | None = None) -> int:
    """alice's file, as it came in by a form: moved into the store. Returns the upload's id."""
    with app.app_context():
        upload_id = services.accept_upload(
            user_id=cast.alice, album_id=cast.album, filename=filename or file.name, file=file
        )
        db.session.commit()
    return upload_id


def copy_of(file: Path, folder: Path) -> Path:
    """accept() moves its file, and the fixtures' are for all."""
    return Path(shutil.copy(file, folder / f"copy-{secrets.token_hex(4)}{file.suffix}"))


def stored_files(root: Path) -> list[str]:
    """Kinds of what lies in the store: `["originals", "renditions", ...]`, one per file."""
    return sorted(path.relative_to(root).parts[0] for path in root.rglob("*") if path.is_file())


def multipart(*files: tuple[str, bytes]) -> bytes:
    """A form's body with these files, as a browser writes it."""
    parts = [
        f'--frontier\r\nContent-Disposition: form-data; name="files"; filename="{name}"\r\n\r\n'.encode() + content
        for name, content in files
    ]
    return b"\r\n".join([*parts, b"--frontier--\r\n"])


def send_form(client: FlaskClient, cast: Cast, *files: tuple[str, bytes]) -> None:
    """What a browser without scripts does."""
    body, content_type = multipart(*files), "multipart/form-data; boundary=frontier"
    answer = client.post(f"/albums/{cast.album}/uploads", data=body, content_type=content_type)
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/studio/albums/{cast.album}")


def flashed(client: FlaskClient) -> str:
    with client.session_transaction() as session:
        return " ".join(words for _, words in session.get("_flashes", []))


class TusClient:
    """Speaks the protocol through a test client."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client

    def options(self) -> TestResponse:
        return self.client.options("/uploads/")

    def create(self, size_bytes: int, album_id: int | str, filename: str = "one.mp3", **headers: str) -> TestResponse:
        pairs = {"filename": filename, "album_id": str(album_id)}
        metadata = ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in pairs.items())
        return self._ask(
            "POST", "/uploads/", b"", **{"Upload-Length": str(size_bytes), "Upload-Metadata": metadata, **headers}
        )

    def head(self, address: str, **headers: str) -> TestResponse:
        return self._ask("HEAD", address, b"", **headers)

    def patch(self, address: str, offset_bytes: int, content: bytes, **headers: str) -> TestResponse:
        sent = {"Upload-Offset": str(offset_bytes), "Content-Type": "application/offset+octet-stream", **headers}
        return self._ask("PATCH", address, content, **sent)

    def delete(self, address: str) -> TestResponse:
        return self._ask("DELETE", address)

    def send(self, content: bytes, album_id: int, filename: str = "one.mp3") -> str:
        """A whole file; returns its address."""
        created = self.create(len(content), album_id, filename)
        assert created.status_code == 201, created.text
        address = created.headers["Location"]
        if content:
            assert self.patch(address, 0, content).status_code == 204
        return address

    def _ask(self, method: str, address: str, content: bytes = b"", **headers: str) -> TestResponse:
        path = address.removeprefix("http://localhost")
        return self.client.open(path, method=method, data=content, headers={"Tus-Resumable": "1.0.0", **headers})


@pytest.fixture(scope="session")
def tone_flac(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two tagged seconds."""
    return make.tone(tmp_path_factory.mktemp("tone") / "tone.flac", seconds=2, tags=make.TAGS)


@pytest.fixture(scope="session")
def tone_mp3(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make.tone(tmp_path_factory.mktemp("tone") / "tone.mp3", seconds=2)


@pytest.fixture
def tus(alice: FlaskClient) -> TusClient:
    """alice's tus client."""
    return TusClient(alice)

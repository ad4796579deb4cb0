"""The whole site as it stands in production: nginx in front, real uploads, a stop in the middle of an encoding."""

from __future__ import annotations

import re
import shutil
import tempfile
import wave
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import requests

from tests.run.conftest import start
from tests.run.made_site import Site, command_of
from tests.run.nginx import nginx_command, write_configuration
from tests.servers import free_port, wait_for

pytestmark = [pytest.mark.real, pytest.mark.timeout(240)]


@pytest.fixture
def folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="ma-", dir="/tmp"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def write_long_wave(path: Path, *, hours: float) -> None:
    """A saw tooth at 8 kHz: small, but minutes of work for the encoders."""
    second = bytes(range(0, 250, 5)) * 160
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 1, 8000, 0, "NONE", ""))
        for _ in range(int(hours * 3600)):
            file.writeframesraw(second)


def publish_a_file(address: str, file: Path) -> tuple[requests.Session, int]:
    """Registers alice, makes an album and uploads `file` into it; returns her session and the album's number."""
    alice = requests.Session()
    account = {"username": "alice", "email": "alice@example.org", "password": "three green kettles"}
    account |= {"is_musician": "1", "artist_name": "Alice"}
    assert alice.post(f"{address}/register", data=account, timeout=20).ok
    made = alice.post(f"{address}/studio/albums/new", data={"title": "Long", "kind": "album"}, timeout=20)
    album_id = int(re.findall(r"/studio/albums/(\d+)", made.url)[0])
    with file.open("rb") as audio:
        sent = alice.post(f"{address}/albums/{album_id}/uploads", files={"files": (file.name, audio)}, timeout=60)
    assert sent.ok, sent.text[:1000]
    return alice, album_id


def test_a_track_streams_through_nginx_and_a_stop_in_the_middle_of_its_encoding_leaves_no_process(
    folder: Path,
) -> None:
    port = free_port()
    site = Site(folder, SITE_URL=f"http://127.0.0.1:{port}", TRUSTED_PROXY_COUNT="1", USE_X_ACCEL_REDIRECT="true")
    (folder / "nginx").mkdir()
    media = folder / "instance" / "media"
    configuration = write_configuration(folder / "nginx", site.port, f"listen 127.0.0.1:{port};\n", media=media)
    nginx = start(nginx_command(configuration), folder / "nginx.log")
    try:
        site.start()
        write_long_wave(folder / "long.wav", hours=3)
        alice, album_id = publish_a_file(f"http://127.0.0.1:{port}", folder / "long.wav")

        def track_id() -> int:
            page = alice.get(f"http://127.0.0.1:{port}/studio/albums/{album_id}", timeout=20).text
            found = re.search(r"/tracks/(\d+)/stream", page)
            return int(found[1]) if found else 0

        stream = f"http://127.0.0.1:{port}/tracks/{wait_for(track_id, 60, 'the track can be played')}/stream"
        part = alice.get(f"{stream}?quality=original", headers={"Range": "bytes=1000-1999"}, timeout=20)
        assert part.status_code == 206
        assert part.content == (folder / "long.wav").read_bytes()[1000:2000]
        assert part.headers["Server"] == "nginx"
        assert requests.get(stream, timeout=20).status_code == 404  # a draft, for strangers

        def encoders() -> list[psutil.Process]:
            return [one for one in site.family() if "ffmpeg" in command_of(one).split(" ")[0]]

        wait_for(encoders, 60, "an encoding runs")
        assert site.stop() == []
        assert "Stopped." in site.said()
    finally:
        site.end()
        nginx.terminate()
        nginx.wait(15)

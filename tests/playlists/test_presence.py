from __future__ import annotations

import pytest
from flask import Flask

from musicapp import create_app
from musicapp.playlists import presence
from tests.servers import RedisServer

pytestmark = pytest.mark.one_database


def test_somebody_is_there_while_one_of_their_pages_is(context: Flask) -> None:
    assert presence.look(1, 7, "a", now_s=100)
    assert not presence.look(1, 7, "b", now_s=101)  # the second tab changes nothing
    assert presence.look(1, 8, "c", now_s=102)
    assert presence.looking(1, now_s=103) == [7, 8]
    assert not presence.leave(1, 7, "a", now_s=103)
    assert presence.leave(1, 7, "b", now_s=103)
    assert not presence.leave(1, 7, "b", now_s=103)
    assert presence.looking(1, now_s=103) == [8]
    assert presence.looking(2, now_s=103) == []


def test_a_page_that_says_nothing_any_more_is_forgotten(context: Flask) -> None:
    presence.look(1, 7, "a", now_s=100)
    presence.look(1, 8, "b", now_s=130)
    assert presence.looking(1, now_s=146) == [8]
    assert presence.look(1, 8, "b", now_s=146)  # who speaks next tells that 7 is gone
    assert not presence.look(1, 8, "b", now_s=150)


def test_all_pages_of_a_former_member_are_forgotten(context: Flask) -> None:
    for page in "abc":
        presence.look(1, 7, page)
    presence.look(1, 71, "d")
    presence.forget(1, 7)
    assert presence.looking(1) == [71]


def test_without_redis_nobody_is_shown_and_nothing_fails(environ: dict[str, str], own_redis: RedisServer) -> None:
    app = create_app({**environ, "REDIS_URL": own_redis.url}, TESTING=True)
    own_redis.stop()
    with app.app_context():
        assert not presence.look(1, 7, "a")
        assert not presence.leave(1, 7, "a")
        presence.forget(1, 7)
        assert presence.looking(1) == []

"""What is kept in Redis is never older than the last drop, and never in anybody's way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import pytest
from flask import Flask
from sqlalchemy import text

from musicapp import create_app
from musicapp.core import cache
from musicapp.core.db import db, reading
from musicapp.core.redis import redis_client
from tests.servers import RedisServer


@dataclass(frozen=True, slots=True)
class Card:
    title: str
    released_on: date | None = None
    places: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class NewerCard:
    title: str
    subtitle: str


CARDS = cache.Kind[Card]("test_card", Card)


@pytest.fixture
def reader(context: Flask) -> Iterator[Flask]:
    """The app's context, as a page has it: transactions only read."""
    with reading():
        yield context


def nothing() -> Card:
    raise AssertionError("it should have been found")


def drop(*ids: int) -> None:
    CARDS.drop(*ids)
    db.session.commit()


def change_and_drop(*ids: int) -> None:
    """What another process does: its own transaction, its commit, its drop."""
    cache._drop({f"cache/test_card/{id}" for id in ids})


def let_marks_go() -> None:
    """As if ten seconds had passed."""
    for key in redis_client().scan_iter("cache/test_card/*"):
        if redis_client().get(key) == cache.MARK:
            redis_client().delete(key)


def test_thing_is_loaded_once_and_comes_back_whole(reader: Flask) -> None:
    card = Card("Winter", date(2026, 3, 1), (1, 2))
    assert CARDS.get(1, lambda: card) == card
    assert CARDS.get(1, nothing) == card


def test_many_are_asked_for_at_once_and_the_missing_loaded_together(reader: Flask) -> None:
    CARDS.get(2, lambda: Card("two"))
    asked: list[list[int]] = []

    def load(ids: list[int]) -> dict[int, Card]:
        asked.append(ids)
        return {id: Card(str(id)) for id in ids if id != 4}

    assert set(CARDS.get_many([1, 2, 3, 4, 3], load)) == {1, 2, 3}
    assert asked == [[1, 3, 4]]
    assert CARDS.get_many([1, 2, 3], load)[2] == Card("two")
    assert len(asked) == 1


def test_dropped_thing_is_loaded_anew(reader: Flask) -> None:
    CARDS.get(1, lambda: Card("old"))
    drop(1)
    assert CARDS.get(1, lambda: Card("new")) == Card("new")
    let_marks_go()
    assert CARDS.get(1, lambda: Card("newer")) == Card("newer")
    assert CARDS.get(1, nothing) == Card("newer")


def test_drop_of_a_transaction_that_is_rolled_back_is_forgotten(reader: Flask) -> None:
    CARDS.get(1, lambda: Card("old"))
    db.session.execute(text("SELECT 1"))
    CARDS.drop(1)
    db.session.rollback()
    assert CARDS.get(1, nothing) == Card("old")


def test_what_was_loaded_before_a_drop_is_not_stored_after_it(reader: Flask) -> None:
    def load_while_somebody_changes_it() -> Card:
        change_and_drop(1)
        return Card("old")

    assert CARDS.get(1, load_while_somebody_changes_it) == Card("old")
    let_marks_go()
    assert CARDS.get(1, lambda: Card("new")) == Card("new")


def test_old_reader_does_not_overwrite_what_a_new_one_stored(reader: Flask) -> None:
    def load_slowly() -> Card:
        change_and_drop(1)
        let_marks_go()
        assert CARDS.get(1, lambda: Card("new")) == Card("new")
        return Card("old")

    CARDS.get(1, load_slowly)
    assert CARDS.get(1, nothing) == Card("new")


def test_reader_whose_transaction_began_before_the_change_stores_nothing(reader: Flask) -> None:
    db.session.execute(text("SELECT 1"))  # on SQLite it sees from here on what was true now
    change_and_drop(1)
    assert CARDS.get(1, lambda: Card("old")) == Card("old")
    let_marks_go()
    assert CARDS.get(1, lambda: Card("new")) == Card("new")


def test_transaction_older_than_a_mark_stores_nothing(reader: Flask) -> None:
    db.session.execute(text("SELECT 1"))
    begun_at, only_reads = db.session().info["begun"]
    db.session().info["begun"] = (begun_at - cache.MARKED_SECONDS, only_reads)
    assert CARDS.get(1, lambda: Card("old")) == Card("old")
    db.session.rollback()
    assert CARDS.get(1, lambda: Card("new")) == Card("new")


def test_only_one_of_two_readers_stores(reader: Flask) -> None:
    def load() -> Card:
        assert CARDS.get(1, lambda: Card("second")) == Card("second")
        return Card("first")

    assert CARDS.get(1, load) == Card("first")
    assert CARDS.get(1, nothing) == Card("first")


def test_transaction_that_writes_neither_reads_nor_stores(context: Flask) -> None:
    with reading():
        CARDS.get(1, lambda: Card("kept"))
        db.session.rollback()
    db.session.execute(text("SELECT 1"))
    assert CARDS.get(1, lambda: Card("mine, not committed")) == Card("mine, not committed")
    with reading():  # the transaction that is open stays what it is
        assert CARDS.get(1, lambda: Card("mine, not committed")) == Card("mine, not committed")
        db.session.rollback()
        assert CARDS.get(1, nothing) == Card("kept")


def test_release_with_another_shape_reads_nothing_of_the_older_one(reader: Flask) -> None:
    CARDS.get(1, lambda: Card("Winter"))
    newer = cache.Kind[NewerCard]("test_card", NewerCard)
    assert newer.get(1, lambda: NewerCard("Winter", "Songs")) == NewerCard("Winter", "Songs")
    assert CARDS.get(1, lambda: Card("Winter")) == Card("Winter")


def test_what_is_not_there_is_not_kept(reader: Flask) -> None:
    assert CARDS.get(1, lambda: None) is None
    assert CARDS.get(1, lambda: Card("now there")) == Card("now there")
    assert CARDS.get(1, nothing) == Card("now there")


def test_things_are_kept_for_the_set_time_and_not_at_all_with_nought(reader: Flask) -> None:
    CARDS.get(1, lambda: Card("Winter"))
    assert redis_client().ttl("cache/test_card/1") in range(290, 301)
    reader.config["CACHE_SECONDS"] = 0
    assert CARDS.get(1, lambda: Card("Summer")) == Card("Summer")


def test_figures_tell_hits_misses_and_what_was_saved(reader: Flask) -> None:
    for _ in range(4):
        CARDS.get_many([1, 2], lambda ids: {id: Card(str(id)) for id in ids})
    figures = cache.figures()["test_card"]
    assert (figures.hits, figures.misses) == (6, 2)
    assert figures.hit_share == 0.75
    assert figures.saved_ms == pytest.approx(3 * figures.load_ms)
    cache.forget_figures()
    assert cache.figures() == {}


@pytest.fixture
def lonely_reader(environ: dict[str, str], own_redis: RedisServer) -> Iterator[Flask]:
    app = create_app({**environ, "REDIS_URL": own_redis.url}, TESTING=True)
    with app.app_context(), reading():
        yield app
        db.session.remove()
    app.extensions["redis"].close()


def test_without_redis_everybody_loads_and_what_changed_is_dropped_later(
    lonely_reader: Flask, own_redis: RedisServer
) -> None:
    CARDS.get(1, lambda: Card("old"))
    own_redis.stop()
    assert CARDS.get(1, lambda: Card("from the database")) == Card("from the database")
    drop(1)
    assert cache.figures() == {}
    own_redis.start()
    cache._state().rest_until = 0.0
    assert CARDS.get(1, lambda: Card("new")) == Card("new")
    let_marks_go()
    assert CARDS.get(1, lambda: Card("new")) == Card("new")

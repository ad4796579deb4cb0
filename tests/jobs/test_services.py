from __future__ import annotations

from collections.abc import Callable
from typing import Any

import redis
from flask import Flask
from sqlalchemy import select

from musicapp.core.db import db
from musicapp.jobs import queries, services
from musicapp.jobs.models import Job
from musicapp.jobs.registry import Run

Declare = Callable[[str, Run], None]


def nothing(_: Any) -> None:
    return None


def tickets(app: Flask) -> int:
    with redis.Redis.from_url(app.config["REDIS_URL"]) as client:
        return int(client.llen("default"))


def test_ticket_leaves_after_the_commit_and_not_before(context: Flask, kinds: Declare) -> None:
    kinds("hum", nothing)
    services.add("hum")
    assert tickets(context) == 0
    db.session.commit()
    assert tickets(context) == 1


def test_rolled_back_job_sends_no_ticket(context: Flask, kinds: Declare) -> None:
    kinds("hum", nothing)
    services.add("hum")
    db.session.rollback()
    db.session.add(Job(kind="other"))
    db.session.commit()
    assert tickets(context) == 0


def test_released_savepoint_sends_no_ticket_before_the_commit(context: Flask, kinds: Declare) -> None:
    kinds("hum", nothing)
    with db.session.begin_nested():
        services.add("hum")
    assert tickets(context) == 0
    db.session.commit()
    assert tickets(context) == 1


def test_unique_key_gives_one_job_however_often_it_is_added(context: Flask, kinds: Declare) -> None:
    kinds("hum", nothing)
    first = services.add("hum", unique_key="hum/1")
    db.session.commit()
    second = services.add("hum", unique_key="hum/1")
    db.session.commit()
    assert first == second
    assert len(db.session.scalars(select(Job)).all()) == 1


def test_job_is_stored_while_redis_is_away(environ: dict[str, str], kinds: Declare) -> None:
    from musicapp import create_app

    app = create_app({**environ, "REDIS_URL": "redis://127.0.0.1:1/0"})
    kinds("hum", nothing)
    with app.app_context():
        services.add("hum")
        db.session.commit()
        assert db.session.scalars(select(Job)).one().state == "queued"
        db.session.remove()
        db.engine.dispose()


def test_owners_take_turns(context: Flask, kinds: Declare, people: list[int]) -> None:
    kinds("hum", nothing)
    alice, bob, _ = people
    of_alice = [services.add("hum", owner_id=alice) for _ in range(4)]
    of_bob = [services.add("hum", owner_id=bob) for _ in range(2)]
    db.session.commit()
    order = [row.id for row in db.session.execute(queries.fair_order())]
    assert order == [of_alice[0], of_bob[0], of_alice[1], of_bob[1], of_alice[2], of_alice[3]]
    assert queries.places_in_queue(["hum"])[of_bob[0]] == 2


def test_owner_who_was_served_last_waits_for_the_other(context: Flask, kinds: Declare, people: list[int]) -> None:
    from musicapp.jobs.runner import run_next

    kinds("hum", nothing)
    alice, bob, _ = people
    for _ in range(3):
        services.add("hum", owner_id=alice)
    db.session.commit()
    run_next("hum")
    of_bob = services.add("hum", owner_id=bob)
    db.session.commit()
    assert db.session.scalar(queries.fairest_waiting("hum")) == of_bob


def test_waiting_job_is_cancelled_at_once_and_can_be_tried_again(context: Flask, kinds: Declare) -> None:
    kinds("hum", nothing)
    job = db.session.get(Job, services.add("hum"))
    assert job is not None
    assert services.cancel(job)
    assert job.state == "cancelled"
    assert not services.cancel(job)
    assert services.retry(job)
    assert (job.state, job.attempts, job.is_cancel_requested) == ("queued", 0, False)

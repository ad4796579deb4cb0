from __future__ import annotations

import subprocess
import sys
from time import process_time

import pytest
from flask import Flask

from musicapp.accounts.passwords import hash_password, needs_rehash, password_matches, password_problem
from musicapp.core.db import db

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def test_a_hash_fits_its_password_only(context: Flask) -> None:
    password_hash = hash_password("correct horse")
    assert password_matches(password_hash, "correct horse")
    assert not password_matches(password_hash, "correct horse ")
    assert not password_matches(None, "correct horse")
    assert not password_matches("!", "!")
    assert not needs_rehash(password_hash)


def test_nobody_takes_as_long_as_somebody(context: Flask) -> None:
    password_hash = hash_password("correct horse")
    password_matches(None, "warm up")

    def seconds(stored: str | None) -> float:
        tries = []
        for _ in range(5):
            began_at = process_time()
            password_matches(stored, "wrong horse")
            tries.append(process_time() - began_at)
        return min(tries)

    assert 0.3 < seconds(None) / seconds(password_hash) < 3


def test_hashing_inside_a_transaction_is_refused(context: Flask) -> None:
    db.session.execute(db.text("SELECT 1"))
    with pytest.raises(RuntimeError, match="outside transactions"):
        hash_password("correct horse")


@pytest.mark.parametrize(
    ("password", "problem"),
    [
        ("7letter", "short"),
        ("8letters", None),
        ("x" * 1001, "long"),
        ("PassWord1", "common"),
        ("aaaaaaaaaaaa", "common"),
        ("alice@example.com", "name"),
        ("mañana mañana", None),
    ],
)
def test_new_passwords_are_looked_at(context: Flask, password: str, problem: str | None) -> None:
    assert password_problem(password, names=("alice", "alice@example.com")) == problem


def test_under_gevent_the_loop_goes_on_while_a_hash_is_made(environ: dict[str, str]) -> None:
    program = """
from gevent import monkey
monkey.patch_all()
import gevent
from musicapp import create_app
from musicapp.accounts.passwords import hash_password
ticks = 0
def tick():
    global ticks
    while True:
        gevent.sleep(0.002)
        ticks += 1
with create_app().app_context():
    gevent.spawn(tick)
    gevent.sleep(0.01)
    before = ticks
    hash_password("correct horse")
    print("ticks", ticks - before)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], env={**environ, "PATH": ""}, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout.split()[-1]) >= 3, done.stdout

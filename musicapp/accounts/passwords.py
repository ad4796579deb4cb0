"""Passwords: argon2id, hashed beside the event loop and never inside a transaction.

A hash takes 50 ms of one core and 46 MiB: under gevent two threads do it while the rest goes on.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from gevent import monkey
from gevent.threadpool import ThreadPool

from musicapp.core.db import db

SHORTEST, LONGEST = 8, 1000
"""Characters. The upper bound keeps a megabyte from being hashed for fun."""

T = TypeVar("T")

# OWASP's first choice. The library's own default takes 160 ms on four threads, which music and live pages would feel.
_hasher = PasswordHasher(time_cost=1, memory_cost=46 * 1024, parallelism=1)

# The few that every list of broken passwords begins with, of eight characters and more.
_OFTEN_USED = frozenset(
    (
        *("12345678", "123456789", "1234567890", "0123456789", "87654321", "987654321", "12341234", "123123123"),
        *("1q2w3e4r", "1q2w3e4r5t", "1qaz2wsx", "1234qwer", "qwer1234", "q1w2e3r4", "qazwsxedc", "zxcvbnm1"),
        *("qwerty12", "qwerty123", "qwertyui", "qwertyuiop", "asdfghjk", "asdfghjkl", "azertyuiop", "abcdefgh"),
        *("password", "password1", "password12", "password123", "passw0rd", "p@ssw0rd", "p@ssword", "passwort"),
        *("iloveyou", "iloveyou1", "sunshine", "princess", "princess1", "football", "football1", "baseball"),
        *("superman", "trustno1", "starwars", "whatever", "computer", "internet", "welcome1", "welcome123"),
        *("letmein1", "letmein123", "admin123", "admin1234", "administrator", "changeme", "changeme1", "abcd1234"),
        *("abc12345", "a1b2c3d4", "aa123456", "a1234567", "test1234", "testtest", "motdepasse", "contraseña"),
    )
)


def password_problem(password: str, *, names: tuple[str, ...] = ()) -> str | None:
    """A key word for what is wrong with a new password: "short", "long", "common", "name"; None when it will do."""
    if len(password) < SHORTEST:
        return "short"
    if len(password) > LONGEST:
        return "long"
    plain = password.casefold()
    if plain in _OFTEN_USED or len(set(plain)) == 1:
        return "common"
    if plain in {name.casefold() for name in names if name}:
        return "name"
    return None


def hash_password(password: str) -> str:
    """The argon2id hash to store. Raises RuntimeError inside an open transaction."""
    return _aside(lambda: _hasher.hash(password))


def password_matches(password_hash: str | None, password: str) -> bool:
    """Whether it is the right one. None, for somebody who is not there, takes as long and is False.

    Raises RuntimeError inside an open transaction.
    """
    too_long = len(password) > LONGEST
    wanted = password_hash or _nobodys_hash()

    def verify() -> bool:
        try:
            return _hasher.verify(wanted, password[:LONGEST])
        except (VerificationError, InvalidHashError):
            return False

    return _aside(verify) and password_hash is not None and not too_long


def needs_rehash(password_hash: str) -> bool:
    """True where today's parameters are stronger than the hash's."""
    return _hasher.check_needs_rehash(password_hash)


@cache
def _nobodys_hash() -> str:
    return _hasher.hash(hashlib.sha256(b"nobody").hexdigest())


@cache
def _threads() -> ThreadPool:
    # Two: more would only queue for the cores and take 46 MiB each.
    return ThreadPool(2)


def _aside(work: Callable[[], T]) -> T:
    if db.session().in_transaction():
        # On SQLite a transaction of a POST holds the only write lock, and everybody would wait for the hash.
        raise RuntimeError("Passwords are hashed outside transactions: end it first.")
    if monkey.is_module_patched("threading"):
        result: Any = _threads().apply(work)
        return result  # type: ignore[no-any-return]
    return work()

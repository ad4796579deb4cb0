from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from flask import Flask

from musicapp.accounts.models import User
from musicapp.core.db import db
from musicapp.jobs.registry import KINDS, JobKind, Run


@pytest.fixture
def kinds() -> Iterator[Callable[[str, Run], None]]:
    """Declares job kinds for one test: `kinds("name", function)`."""
    before = dict(KINDS)

    def declare(name: str, run: Run, max_attempts: int = 3) -> None:
        KINDS[name] = JobKind(name, "default", max_attempts, run)

    yield declare
    KINDS.clear()
    KINDS.update(before)


@pytest.fixture
def people(context: Flask) -> list[int]:
    """Ids of alice, bob and charlie."""
    users = [
        User(username=name, username_key=name, email=f"{name}@example.org", password_hash="x")
        for name in ("alice", "bob", "charlie")
    ]
    db.session.add_all(users)
    db.session.commit()
    return [user.id for user in users]

"""How soon a site that was set up before answers. Runs by itself, after the others (tests/conftest.py)."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import pytest

from tests.run.made_site import Site

pytestmark = pytest.mark.real

TRIES = 5
"""Other work on the machine delays a start, and only the start itself is judged here."""


def test_the_second_start_shows_the_page_within_five_seconds() -> None:
    folder = Path(tempfile.mkdtemp(prefix="ma-", dir="/tmp"))
    site = Site(folder)
    try:
        site.start()
        assert site.stop() == []
        seconds: list[float] = []
        while len(seconds) < TRIES and min(seconds, default=99) >= 5:
            seconds.append(site.start())
            assert site.stop() == []
        assert min(seconds) < 5
    finally:
        site.end()
        shutil.rmtree(folder, ignore_errors=True)

from __future__ import annotations

import io
import time
from datetime import date

import numpy as np
import pytest
from flask import Flask
from PIL import Image

from musicapp.browse.demo import covers, library
from musicapp.browse.demo.music import SAMPLE_RATE_HZ, Piece, render
from musicapp.catalog import queries
from musicapp.core.redis import redis_client

SHORT = Piece("Short", 240, 220.0, ((0, True), (5, False)), 5, "pluck", True, 1)


def test_music_is_the_same_each_time_and_never_clips() -> None:
    sound = render(SHORT)
    assert np.array_equal(sound, render(SHORT))
    assert sound.shape == (int((5 + 4) * SAMPLE_RATE_HZ), 2)
    assert 0.79 < float(np.max(np.abs(sound))) <= 0.81
    assert float(np.max(np.abs(sound[-10:]))) < 0.01


@pytest.mark.parametrize("draw", [covers.night_trains, covers.paper_boats, covers.portrait])
def test_covers_are_square_pictures(draw: object) -> None:
    assert Image.open(io.BytesIO(draw())).size == (1200, 1200)  # type: ignore[operator]


def nobody_else_works() -> None:
    """Else the command waits a minute for a worker to report."""
    for queue in ("default", "media"):
        redis_client().set(f"worker-seen:{queue}", time.time() - 100)


def test_library_comes_in_by_the_real_doors_and_is_published(app: Flask) -> None:
    album = library.DemoAlbum("Tiny", "single", date(2026, 3, 1), ("Ambient",), "One.", covers.paper_boats, (SHORT,))
    with app.app_context():
        nobody_else_works()
        assert not library.is_there()
        lines = list(library.add_library("x", (album,)))
        assert lines[-1] == "Tiny is published."
        assert library.is_there()
        cards = queries.latest_albums()
        assert [card.title for card in cards] == ["Tiny"]
        assert cards[0].picture is not None
        rows = queries.track_rows(cards[0].id)
        assert [(row.title, row.artists, row.state) for row in rows] == [("Short", library.ARTIST, "ready")]
        assert rows[0].duration_ms == 9000
    page = app.test_client().get(f"/albums/{cards[0].id}")
    assert "Tiny" in page.text


def test_second_time_adds_nothing(app: Flask) -> None:
    with app.app_context():
        nobody_else_works()
        list(library.add_library("x", ()))
    result = app.test_cli_runner().invoke(args=["demo"])
    assert result.exit_code == 0
    assert "there already" in result.output

"""Covers and portraits for a made-up library, drawn: a dozen different ones, each the picture of many albums."""

from __future__ import annotations

import io
import os
import random
import tempfile
from pathlib import Path

from flask import Flask
from PIL import Image, ImageDraw
from sqlalchemy import select, update

from musicapp.audio.artwork import ARTWORK_SIZES, ArtworkFiles, make_artwork
from musicapp.catalog.models import Artwork
from musicapp.core.db import db
from musicapp.core.storage import store

SIDE_PX = 1400
DIFFERENT = 12


def draw_pictures(app: Flask) -> int:
    """Gives every artwork its files; how many there are."""
    with tempfile.TemporaryDirectory() as name, app.app_context():
        drawn = []
        for number in range(DIFFERENT):
            folder = Path(name) / str(number)
            folder.mkdir()
            drawn.append(make_artwork(_picture(number), folder))
        keys = db.session.execute(select(Artwork.id, Artwork.key)).all()
        for artwork_id, key in keys:
            _link(drawn[artwork_id % DIFFERENT], key)
        for number, files in enumerate(drawn):
            changed = update(Artwork).where(Artwork.id % DIFFERENT == number)
            db.session.execute(
                changed.values(color=files.color, width=SIDE_PX, height=SIDE_PX, sizes=list(ARTWORK_SIZES)),
                execution_options={"synchronize_session": False},
            )
        db.session.commit()
        return len(keys)


def _link(files: ArtworkFiles, key: str) -> None:
    for image in files.images:
        target = store().path(f"{key}-{image.size}{image.path.suffix}")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.unlink(missing_ok=True)
        try:
            os.link(image.path, target)
        except OSError:  # another file system
            target.write_bytes(image.path.read_bytes())


def _picture(number: int) -> bytes:
    """A PNG: discs and bars over a wash of two colours, about as hard to compress as covers are."""
    chance = random.Random(number)
    wash = Image.effect_noise((SIDE_PX // 4, SIDE_PX // 4), 40).resize((SIDE_PX, SIDE_PX)).convert("L")
    one, other = (tuple(chance.randrange(256) for _ in range(3)) for _ in range(2))
    picture = Image.composite(
        Image.new("RGB", (SIDE_PX, SIDE_PX), one), Image.new("RGB", (SIDE_PX, SIDE_PX), other), wash
    )
    draw = ImageDraw.Draw(picture, "RGBA")
    for _ in range(14):
        colour = (*(chance.randrange(256) for _ in range(3)), chance.randrange(60, 220))
        x, y, r = (chance.randrange(SIDE_PX), chance.randrange(SIDE_PX), chance.randrange(40, SIDE_PX // 3))
        if chance.random() < 0.6:
            draw.ellipse((x - r, y - r, x + r, y + r), fill=colour)
        else:
            draw.rectangle((x - r, y - r // 6, x + r, y + r // 6), fill=colour)
    written = io.BytesIO()
    picture.save(written, "PNG", compress_level=1)
    return written.getvalue()

"""Audio fixtures: one second of tone in every format, made once."""

import os
from pathlib import Path

import pytest

from musicapp.audio.ffmpeg import ffmpeg_path
from tests.audio import make


@pytest.fixture(scope="session")
def ffmpeg() -> str:
    return ffmpeg_path()


@pytest.fixture(scope="session")
def sounds(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A tagged stereo tone of one second for each suffix of make.FORMATS."""
    folder = tmp_path_factory.mktemp("sounds")
    return {suffix: make.tone(folder / f"tone{suffix}", tags=make.TAGS) for suffix in make.FORMATS}


@pytest.fixture(scope="session")
def samples() -> Path:
    """The folder of real samples, where there is one; a fresh clone has none."""
    configured = os.environ.get("MUSICAPP_SAMPLES")
    repository = Path(__file__).resolve().parents[2]
    folder = Path(configured) if configured else repository.parent / "shared" / "samples"
    if not folder.is_dir():
        pytest.skip("no folder of real samples (MUSICAPP_SAMPLES)")
    return folder

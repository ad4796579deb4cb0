import numpy as np
import pytest

from musicapp.audio.waveform import PeakFolder


@pytest.mark.parametrize(
    ("seconds", "piece_bytes"),
    [(0.05, 65536), (1, 4097), (31, 65536), (31, 4097), (240, 65536), (240, 4097), (3 * 3600, 65536)],
)
def test_points_hold_the_true_minimum_and_maximum(seconds: float, piece_bytes: int) -> None:
    count = int(seconds * 8000)
    samples = np.random.default_rng(7).integers(-20000, 20000, count).astype("<i2")
    samples[count // 2] = 32767
    samples[count // 3] = -32768
    pcm, folder = samples.tobytes(), PeakFolder()
    for at in range(0, len(pcm), piece_bytes):
        folder.add(pcm[at : at + piece_bytes])
    waveform = folder.waveform()
    assert folder.sample_count == count
    per_pixel, data = waveform["samples_per_pixel"], waveform["data"]
    assert waveform["length"] == -(-count // per_pixel) == len(data) // 2
    assert waveform["length"] <= 1000
    if seconds > 1:
        assert waveform["length"] > 900
    starts = np.arange(0, count, per_pixel)
    assert data[0::2] == (np.minimum.reduceat(samples, starts) >> 8).tolist()
    assert data[1::2] == (np.maximum.reduceat(samples, starts) >> 8).tolist()
    assert (min(data), max(data)) == (-128, 127)


def test_nothing_gives_an_empty_waveform() -> None:
    waveform = PeakFolder().waveform()
    assert (waveform["length"], waveform["data"], waveform["version"]) == (0, [], 2)

"""Waveform peaks in constant memory from audio whose length nobody knows beforehand."""

from typing import TypedDict

import numpy as np
import numpy.typing as npt

WAVEFORM_SAMPLE_RATE_HZ = 8000
WAVEFORM_POINTS = 1000

# Finer than is drawn, so that the last folding hits WAVEFORM_POINTS within 3 %; 64 KiB per array.
_BUCKETS = 32 * 1024
_FIRST_BUCKET_SAMPLES = 8


class Waveform(TypedDict):
    """audiowaveform's JSON format, version 2: data is min, max, min, max, ... in 8 bits."""

    version: int
    channels: int
    sample_rate: int
    samples_per_pixel: int
    bits: int
    length: int
    data: list[int]


class PeakFolder:
    """Takes mono s16le PCM in any pieces; when its buckets are full, each two become one."""

    def __init__(self) -> None:
        self.sample_count = 0
        self._bucket_samples = _FIRST_BUCKET_SAMPLES
        self._lowest = np.zeros(_BUCKETS, np.int16)
        self._highest = np.zeros(_BUCKETS, np.int16)
        self._filled = 0
        self._rest = b""

    def add(self, pcm: bytes) -> None:
        pcm = self._rest + pcm
        usable = len(pcm) // 2
        self.sample_count = self._filled * self._bucket_samples + usable
        samples = np.frombuffer(pcm, "<i2", usable)
        at = 0
        while len(samples) - at >= self._bucket_samples:
            if self._filled == _BUCKETS:
                self._fold()
                continue
            buckets = min((len(samples) - at) // self._bucket_samples, _BUCKETS - self._filled)
            end = at + buckets * self._bucket_samples
            shaped = samples[at:end].reshape(buckets, self._bucket_samples)
            self._lowest[self._filled : self._filled + buckets] = shaped.min(axis=1)
            self._highest[self._filled : self._filled + buckets] = shaped.max(axis=1)
            self._filled += buckets
            at = end
        self._rest = pcm[at * 2 :]

    def _fold(self) -> None:
        half = _BUCKETS // 2
        self._lowest[:half] = self._lowest.reshape(half, 2).min(axis=1)
        self._highest[:half] = self._highest.reshape(half, 2).max(axis=1)
        self._filled = half
        self._bucket_samples *= 2

    def waveform(self) -> Waveform:
        """Return about WAVEFORM_POINTS points, fewer if there are fewer than 8 samples for each."""
        lowest, highest = self._lowest[: self._filled], self._highest[: self._filled]
        tail = np.frombuffer(self._rest, "<i2", len(self._rest) // 2)
        if len(tail):
            lowest = np.append(lowest, tail.min())
            highest = np.append(highest, tail.max())
        group = max(1, -(-len(lowest) // WAVEFORM_POINTS))
        starts = np.arange(0, len(lowest), group)
        points: npt.NDArray[np.int16] = np.empty((len(starts), 2), np.int16)
        if len(starts):
            points[:, 0] = np.minimum.reduceat(lowest, starts)
            points[:, 1] = np.maximum.reduceat(highest, starts)
        return Waveform(
            version=2,
            channels=1,
            sample_rate=WAVEFORM_SAMPLE_RATE_HZ,
            samples_per_pixel=self._bucket_samples * group,
            bits=8,
            length=len(starts),
            data=(points >> 8).ravel().tolist(),
        )

"""Music out of numbers: chords, a bass, plucked notes and drums become stereo sound. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SAMPLE_RATE_HZ = 44_100
Sound = NDArray[np.float64]
Voice = Callable[[float, float, np.random.Generator], Sound]

_PEAK = 0.8
_MAJOR, _MINOR = (0, 4, 7, 11), (0, 3, 7, 10)


@dataclass(frozen=True, slots=True)
class Piece:
    """A track to compute. Chords are (semitones above the root, is it major?), one a bar, repeated."""

    title: str
    bpm: int
    root_hz: float
    chords: tuple[tuple[int, bool], ...]
    bars: int
    lead: str
    """pluck, bell or none."""
    has_drums: bool
    seed: int


def render(piece: Piece) -> Sound:
    """The piece as an array of shape (samples, 2), between -1 and 1."""
    rng = np.random.default_rng(piece.seed)
    beat_s = 60 / piece.bpm
    bar_s = 4 * beat_s
    mix = np.zeros((int((piece.bars * bar_s + 4) * SAMPLE_RATE_HZ), 2))
    for bar in range(piece.bars):
        step, is_major = piece.chords[bar % len(piece.chords)]
        notes = [piece.root_hz * 2 ** ((step + interval) / 12) for interval in (_MAJOR if is_major else _MINOR)]
        at_s = bar * bar_s
        for index, note_hz in enumerate(notes):
            _put(mix, at_s, _pad(note_hz, bar_s * 1.15, rng) * 0.11, pan=(index - 1.5) / 3)
        if bar >= 2:
            _put(mix, at_s, _bass(notes[0] / 2, beat_s * 2.5) * 0.3)
        if bar >= 4 and piece.lead != "none":
            _lead(mix, at_s, beat_s, notes, _VOICES[piece.lead], rng)
        if bar >= 4 and piece.has_drums:
            _drums(mix, at_s, beat_s, rng)
    return _finish(_in_a_room(mix, rng))


def _lead(mix: Sound, at_s: float, beat_s: float, notes: list[float], voice: Voice, rng: np.random.Generator) -> None:
    for eighth in range(8):
        if rng.random() < 0.72:
            note_hz = notes[int(rng.integers(len(notes)))] * (4 if rng.random() < 0.3 else 2)
            loudness = 0.16 * rng.uniform(0.6, 1)
            _put(
                mix, at_s + eighth * beat_s / 2, voice(note_hz, beat_s * 3, rng) * loudness, pan=rng.uniform(-0.5, 0.5)
            )


def _drums(mix: Sound, at_s: float, beat_s: float, rng: np.random.Generator) -> None:
    for beat in range(4):
        if beat % 2 == 0:
            _put(mix, at_s + beat * beat_s, _kick() * 0.5)
        for half in (0.0, 0.5):
            _put(mix, at_s + (beat + half) * beat_s, _hat(rng) * (0.05 if half else 0.03), pan=0.25)


def _times(duration_s: float) -> Sound:
    return np.arange(int(duration_s * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ


def _pad(note_hz: float, duration_s: float, rng: np.random.Generator) -> Sound:
    t = _times(duration_s)
    sound = np.zeros_like(t)
    for detune in (-0.4, 0.0, 0.45):
        for harmonic in range(1, 7):
            phase = rng.uniform(0, 2 * np.pi)
            sound += np.sin(2 * np.pi * (note_hz * harmonic + detune) * t + phase) / harmonic**1.7
    rise = np.minimum(1, t / (0.3 * duration_s))
    fall = np.minimum(1, (duration_s - t) / (0.3 * duration_s))
    return sound / 3 * np.sin(np.pi / 2 * rise) * np.sin(np.pi / 2 * fall)


def _bass(note_hz: float, duration_s: float) -> Sound:
    t = _times(duration_s)
    sound = np.sin(2 * np.pi * note_hz * t) + 0.25 * np.sin(4 * np.pi * note_hz * t)
    return sound * np.exp(-1.6 * t) * np.minimum(1, t / 0.01)


def _pluck(note_hz: float, duration_s: float, rng: np.random.Generator) -> Sound:
    t = _times(duration_s)
    sound = np.zeros_like(t)
    for harmonic in range(1, 11):
        if note_hz * harmonic < SAMPLE_RATE_HZ / 2.2:
            sound += np.sin(2 * np.pi * note_hz * harmonic * t) * np.exp(-(2 + 1.4 * harmonic) * t) / harmonic
    return sound * np.minimum(1, t / 0.003)


def _bell(note_hz: float, duration_s: float, rng: np.random.Generator) -> Sound:
    t = _times(duration_s)
    shimmer = 1.6 * np.exp(-3 * t) * np.sin(2 * np.pi * note_hz * 3.5 * t)
    return 0.7 * np.sin(2 * np.pi * note_hz * t + shimmer) * np.exp(-2.2 * t) * np.minimum(1, t / 0.002)


_VOICES: dict[str, Voice] = {"pluck": _pluck, "bell": _bell}


def _kick() -> Sound:
    t = _times(0.35)
    return np.sin(2 * np.pi * (45 * t - 110 / 30 * (np.exp(-30 * t) - 1))) * np.exp(-9 * t)


def _hat(rng: np.random.Generator) -> Sound:
    t = _times(0.08)
    return np.diff(rng.standard_normal(t.size + 1)) * np.exp(-70 * t)


def _put(mix: Sound, at_s: float, sound: Sound, pan: float = 0.0) -> None:
    start = int(at_s * SAMPLE_RATE_HZ)
    length = min(sound.size, mix.shape[0] - start)
    # Equal power: what moves to one side does not get louder.
    angle = (pan + 1) * np.pi / 4
    mix[start : start + length, 0] += sound[:length] * np.cos(angle)
    mix[start : start + length, 1] += sound[:length] * np.sin(angle)


def _in_a_room(mix: Sound, rng: np.random.Generator) -> Sound:
    """Adds an echo that fades in two seconds: sound folded with decaying noise."""
    t = _times(2.0)
    wet = np.empty_like(mix)
    size = 1 << (mix.shape[0] + t.size - 1).bit_length()
    for side in (0, 1):
        room = rng.standard_normal(t.size) * np.exp(-3.2 * t)
        spectrum = np.fft.rfft(mix[:, side], size) * np.fft.rfft(room / np.sqrt(np.sum(room**2)), size)
        wet[:, side] = np.fft.irfft(spectrum, size)[: mix.shape[0]]
    return mix + 0.35 * wet


def _finish(mix: Sound) -> Sound:
    """Fades the end and brings the peak to a fixed place."""
    fade = np.ones(mix.shape[0])
    tail = 3 * SAMPLE_RATE_HZ
    fade[-tail:] = np.linspace(1, 0, tail) ** 1.5
    mix = mix * fade[:, np.newaxis]
    return mix * (_PEAK / max(float(np.max(np.abs(mix))), 1e-9))

"""Loudness from ffmpeg's ebur128 filter: EBU R128, and ReplayGain 2 from it."""

import math
import re
from dataclasses import dataclass

_REPLAYGAIN_TARGET_LUFS = -18.0
# The filter's absolute gate: what it says of silence and of less than 0.4 s.
_SILENCE_LUFS = -70.0
# At the start of a line only: ffmpeg prints tags too, indented, and they may say anything.
_SUMMARY = re.compile(r"^\[Parsed_ebur128_\d+ @ [^\]\n]*\] Summary:", re.MULTILINE)
# Lines of other threads may stand between these two.
_INTEGRATED = re.compile(r"^ +I: +(\S+) LUFS", re.MULTILINE)
_TRUE_PEAK = re.compile(r"^ +Peak: +(\S+) dBFS", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Loudness:
    """How loud a track is, as heard in stereo. All None for silence, or for less than 0.4 s."""

    integrated_loudness_lufs: float | None
    true_peak_dbtp: float | None
    track_gain_db: float | None
    """ReplayGain 2: what brings it to -18 LUFS."""


def parse_loudness(ffmpeg_log: str) -> Loudness:
    """Return what ebur128 says at the end of the log.

    A stream that changes its format midway is measured in parts; then the loudest counts, because
    playing something too quietly harms nobody.
    """
    parts = _SUMMARY.split(ffmpeg_log)[1:]
    loudness_lufs = [value for part in parts if (value := _first_number(_INTEGRATED, part)) is not None]
    peaks_dbtp = [value for part in parts if (value := _first_number(_TRUE_PEAK, part)) is not None]
    integrated_lufs = max(loudness_lufs, default=_SILENCE_LUFS)
    if integrated_lufs <= _SILENCE_LUFS:
        return Loudness(None, None, None)
    return Loudness(
        integrated_lufs,
        max(peaks_dbtp, default=None),
        round(_REPLAYGAIN_TARGET_LUFS - integrated_lufs, 2),
    )


def _first_number(pattern: re.Pattern[str], text: str) -> float | None:
    match = pattern.search(text)
    try:
        value = float(match[1]) if match else math.nan
    except ValueError:
        return None
    return value if math.isfinite(value) else None

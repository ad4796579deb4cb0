"""What is learnt from the sound on the way to the encoders: duration, loudness, waveform, preview PCM."""

from collections.abc import Callable
from pathlib import Path

from musicapp.audio.errors import TooLongError
from musicapp.audio.ffmpeg import file_url
from musicapp.audio.waveform import WAVEFORM_SAMPLE_RATE_HZ, PeakFolder

PREVIEW_LENGTH_S = 30
PREVIEW_SAMPLE_RATE_HZ = 44100
PREVIEW_CHANNELS = 2
PREVIEW_SAMPLE_BYTES = 2

_PREVIEW_BYTES_PER_S = PREVIEW_SAMPLE_RATE_HZ * PREVIEW_CHANNELS * PREVIEW_SAMPLE_BYTES
# Past the introduction, before the middle: where most songs show what they are.
_PREVIEW_START_SHARE = 0.3
# A piece from there shorter than this is worth less than the track's beginning.
_SHORTEST_PREVIEW_S = 10


def choose_preview_start_s(declared_duration_ms: int | None) -> int:
    """Return where the preview should begin, if the file is as long as it says."""
    duration_s = (declared_duration_ms or 0) // 1000
    return max(0, min(int(duration_s * _PREVIEW_START_SHARE), duration_s - PREVIEW_LENGTH_S))


def _too_long(max_duration_s: int) -> TooLongError:
    hours, minutes = divmod(max_duration_s // 60, 60)
    words = [f"{hours} h" if hours else "", f"{minutes} min" if minutes else ""]
    limit = " ".join(word for word in words if word) or f"{max_duration_s} s"
    return TooLongError(
        "too_long", f"The track plays for longer than the {limit} allowed here. Split it into several tracks."
    )


class Analysis:
    """The part of a decode that makes facts. Its PCM comes by `add`, in constant memory.

    The header's length may be a lie, so the track's beginning is kept as well: it is the preview when
    the place chosen for it does not exist. Each PCM file has at most 30 s, 5.3 MB.
    """

    def __init__(
        self,
        out_dir: Path,
        preview_start_s: int,
        max_duration_s: int,
        on_preview: Callable[[Path], None] | None = None,
    ) -> None:
        self.peaks = PeakFolder()
        self._preview_end_ms = (preview_start_s + PREVIEW_LENGTH_S) * 1000
        self._on_preview = on_preview if preview_start_s else None
        self._max_duration_s = max_duration_s
        self._max_samples = (max_duration_s + 1) * WAVEFORM_SAMPLE_RATE_HZ
        starts_s = {"head": 0} | ({"middle": preview_start_s} if preview_start_s else {})
        self.preview_files = [out_dir / f"preview-{name}.s16le" for name in starts_s]
        self.labels = ["loud", "wave", *starts_s]
        self.filters = [
            # What listeners hear is stereo: mono reaches both ears.
            "[loud]ebur128=peak=true:framelog=quiet:dualmono=true,anullsink",
            f"[wave]aformat=sample_rates={WAVEFORM_SAMPLE_RATE_HZ}:channel_layouts=mono:sample_fmts=s16[pcm]",
        ]
        self.output_arguments = ["-map", "[pcm]", "-f", "s16le", "pipe:1"]
        for (name, start_s), path in zip(starts_s.items(), self.preview_files, strict=True):
            self.filters.append(
                f"[{name}]atrim=start={start_s}:end={start_s + PREVIEW_LENGTH_S},"
                f"aformat=sample_rates={PREVIEW_SAMPLE_RATE_HZ}:channel_layouts=stereo:sample_fmts=s16"
                f"[{name}_pcm]"
            )
            # Flushed, so that the file's size tells when it is complete: see _tell_of_preview.
            self.output_arguments += ["-map", f"[{name}_pcm]", "-f", "s16le", "-flush_packets", "1", file_url(path)]

    @property
    def duration_ms(self) -> int:
        return round(self.peaks.sample_count * 1000 / WAVEFORM_SAMPLE_RATE_HZ)

    def add(self, pcm: bytes) -> None:
        """Take PCM from pipe:1. Raises TooLongError as soon as there is more than a second too much."""
        self.peaks.add(pcm)
        if self.peaks.sample_count > self._max_samples:
            raise _too_long(self._max_duration_s)
        if self._on_preview is not None and self.duration_ms >= self._preview_end_ms:
            self._tell_of_preview(self._on_preview)

    def _tell_of_preview(self, on_preview: Callable[[Path], None]) -> None:
        """Says once that the preview's PCM lies there whole, while the rest is still being encoded."""
        middle = self.preview_files[-1]
        if middle.exists() and middle.stat().st_size == PREVIEW_LENGTH_S * _PREVIEW_BYTES_PER_S:
            self._on_preview = None
            on_preview(middle)

    def choose_preview(self) -> Path | None:
        """Return the PCM file to use as a preview, or None if nothing was decoded."""
        head, *middle = self.preview_files
        shortest_bytes = _SHORTEST_PREVIEW_S * _PREVIEW_BYTES_PER_S
        if middle and middle[0].exists() and middle[0].stat().st_size >= shortest_bytes:
            return middle[0]
        return head if head.exists() and head.stat().st_size else None

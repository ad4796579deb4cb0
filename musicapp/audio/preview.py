"""The preview: half a minute with soft ends."""

import io
import warnings
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from musicapp.audio.analysis import PREVIEW_CHANNELS, PREVIEW_SAMPLE_BYTES, PREVIEW_SAMPLE_RATE_HZ
from musicapp.audio.errors import EncodeError, disk_full_words, is_disk_full
from musicapp.audio.ffmpeg import file_url, run_ffmpeg

with warnings.catch_warnings():
    # pydub 0.25 still asks for audioop, which Python 3.13 drops (audioop-lts brings it back there).
    warnings.filterwarnings("ignore", "'audioop' is deprecated", DeprecationWarning)
    # It looks for an ffmpeg on PATH, which is never asked for here.
    warnings.filterwarnings("ignore", "Couldn't find ffmpeg or avconv", RuntimeWarning)
    from pydub import AudioSegment

FADE_MS = 1500
PREVIEW_BITRATE_KBPS = 128


@dataclass(frozen=True, slots=True)
class PreviewFile:
    """A preview as it lies on the disk."""

    path: Path
    mime: str
    size_bytes: int
    duration_ms: int


def make_preview(pcm: Path, out_dir: Path, *, ffmpeg: str, time_limit_s: float = 60) -> PreviewFile:
    """Fade the PCM that encode() left and write it as `preview.mp3`, which every browser plays.

    Raises EncodeError; then nothing is left in `out_dir`. The PCM file stays with the caller.
    """
    segment = AudioSegment(
        data=pcm.read_bytes(),
        sample_width=PREVIEW_SAMPLE_BYTES,
        frame_rate=PREVIEW_SAMPLE_RATE_HZ,
        channels=PREVIEW_CHANNELS,
    )
    duration_ms = len(segment)
    fade_ms = min(FADE_MS, duration_ms // 2)
    faded, preview = out_dir / "preview-faded.wav", out_dir / "preview.mp3"
    try:
        # As WAV, for which pydub needs no program: its own call of ffmpeg has neither limit nor leash.
        # By way of memory (5.3 MB), because pydub leaves its file open when the disk is full.
        wav = io.BytesIO()
        segment.fade_in(fade_ms).fade_out(fade_ms).export(wav, format="wav")
        faded.write_bytes(wav.getbuffer())
        ended = run_ffmpeg(
            ffmpeg,
            ["-v", "error", "-protocol_whitelist", "file", "-f", "wav", "-i", file_url(faded),
             "-b:a", f"{PREVIEW_BITRATE_KBPS}k", "-c:a", "libmp3lame", "-f", "mp3", file_url(preview)],
            time_limit_s=time_limit_s,
        )  # fmt: skip
        if ended.is_disk_full:
            raise EncodeError("disk_full", disk_full_words())
        if ended.returncode != 0:
            raise EncodeError("no_preview", "The preview could not be made. Try again.")
    except BaseException as error:
        preview.unlink(missing_ok=True)
        if isinstance(error, OSError) and is_disk_full(error):
            raise EncodeError("disk_full", disk_full_words()) from error
        raise
    finally:
        faded.unlink(missing_ok=True)
    return PreviewFile(preview, "audio/mpeg", preview.stat().st_size, duration_ms)


class EarlyPreview:
    """Makes the preview while the rest of the track is still being encoded, on a core the encoders leave idle.

    `begin` is for encode's on_preview; leaving the `with` waits for what has begun.
    """

    def __init__(self, out_dir: Path, *, ffmpeg: str) -> None:
        self._out_dir, self._ffmpeg = out_dir, ffmpeg
        self._pool = ThreadPoolExecutor(1, "preview")
        self._begun: tuple[Path, Future[PreviewFile]] | None = None

    def begin(self, pcm: Path) -> None:
        if self._begun is None:
            self._begun = pcm, self._pool.submit(make_preview, pcm, self._out_dir, ffmpeg=self._ffmpeg)

    def finish(self, pcm: Path | None) -> PreviewFile | None:
        """The preview of the PCM that encode chose in the end; None without one. Raises what make_preview raises."""
        if pcm is None:
            return None
        if self._begun is not None and self._begun[0] == pcm:
            return self._begun[1].result()
        return make_preview(pcm, self._out_dir, ffmpeg=self._ffmpeg)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown(wait=True)

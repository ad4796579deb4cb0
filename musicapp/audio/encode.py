"""Everything that needs the sound itself, from one ffmpeg process that decodes once."""

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from musicapp.audio.analysis import Analysis, choose_preview_start_s
from musicapp.audio.errors import EncodeError, NotAudioError, disk_full_words
from musicapp.audio.facts import AudioFacts
from musicapp.audio.ffmpeg import AUDIO_DEMUXERS, FfmpegExit, OnProgress, file_url, run_ffmpeg
from musicapp.audio.ladder import RenditionProfile
from musicapp.audio.loudness import Loudness, parse_loudness
from musicapp.audio.renditions import RenditionFile, read_rendition
from musicapp.audio.waveform import Waveform

PIPELINE_VERSION = 1
"""Counted up when encode would make something else of the same file: it tells which renditions to make anew."""

# Time by counted samples: a damaged file's own timestamps may jump by days, and encoders believe them.
_COUNT = "asetpts=N/SR/TB,"


@dataclass(frozen=True, slots=True)
class EncodeResult:
    """What decoding a file to its end has shown and made."""

    duration_ms: int
    """True: counted from decoded samples."""
    renditions: tuple[RenditionFile, ...]
    failed: tuple[tuple[str, str], ...]
    """(profile name, reason in words) of renditions that could not be made."""
    loudness: Loudness
    waveform: Waveform
    preview: Path | None
    """Up to 30 s of s16le stereo PCM at 44.1 kHz, for preview.py; the caller deletes it."""


def encode(
    source: Path,
    out_dir: Path,
    profiles: Sequence[RenditionProfile],
    *,
    facts: AudioFacts,
    max_duration_s: int,
    ffmpeg: str,
    time_limit_s: float,
    on_progress: OnProgress | None = None,
    on_preview: Callable[[Path], None] | None = None,
    niceness: int = 0,
) -> EncodeResult:
    """Make the renditions, loudness, waveform and preview PCM of `source` in `out_dir`.

    `profiles` come from `choose_profiles`. One ffmpeg makes everything; only if an encoder fails are
    the renditions made by one run each, so that it costs its own rendition alone.
    `on_progress(decoded_ms, speed)` is called at least once a second and may raise CancelledError;
    `on_preview(pcm)` is called once the preview's PCM is complete, if that is before the end of the rest.
    `time_limit_s` is for all runs together.
    Raises NotAudioError if nothing can be decoded, TooLongError once more than `max_duration_s` was
    decoded, EncodeError ("disk_full", "time_limit", "ffmpeg_missing", "no_rendition") and whatever
    on_progress raises; then none of its files are left in `out_dir`.
    """
    encoding = _Encoding(
        source=source,
        out_dir=out_dir,
        # Listeners have two ears; mono stays mono.
        mix=f"aformat=channel_layouts={'mono' if facts.channels == 1 else 'stereo'}",
        preview_start_s=choose_preview_start_s(facts.declared_duration_ms),
        max_duration_s=max_duration_s,
        ffmpeg=ffmpeg,
        deadline=time.monotonic() + time_limit_s,
        on_progress=on_progress,
        on_preview=on_preview,
        niceness=niceness,
        files=set(),
    )
    try:
        return encoding.make(profiles)
    except BaseException:
        encoding.remove_files()
        raise


class _FormatChangedError(Exception):
    """The stream's sample rate or channels changed midway."""


@dataclass(slots=True)
class _Encoding:
    source: Path
    out_dir: Path
    mix: str
    preview_start_s: int
    max_duration_s: int
    ffmpeg: str
    deadline: float
    on_progress: OnProgress | None
    on_preview: Callable[[Path], None] | None
    niceness: int
    files: set[Path]

    def make(self, profiles: Sequence[RenditionProfile]) -> EncodeResult:
        analysis, ended = self._analyse(profiles)
        made, failed = list(profiles), list[tuple[str, str]]()
        if ended.returncode != 0:
            analysis, ended = self._analyse(())
            if analysis.duration_ms:
                made, failed = self._encode_one_by_one(profiles)
        if not analysis.duration_ms:
            raise NotAudioError(
                "undecodable",
                "None of the sound in this file can be decoded. It may be damaged or cut off: "
                "export it again and upload the new file.",
            )
        renditions: list[RenditionFile] = []
        for profile in made:
            try:
                renditions.append(read_rendition(profile, self._path(profile), analysis.duration_ms))
            except EncodeError as error:
                failed.append((profile.name, str(error)))
        if profiles and not renditions:
            raise EncodeError("no_rendition", f"No rendition could be made. {failed[0][1]}")
        preview = analysis.choose_preview()
        self.remove_files(keep={preview} | {rendition.path for rendition in renditions})
        return EncodeResult(
            duration_ms=analysis.duration_ms,
            renditions=tuple(renditions),
            failed=tuple(failed),
            loudness=parse_loudness(ended.log),
            waveform=analysis.peaks.waveform(),
            preview=preview,
        )

    def _analyse(self, profiles: Sequence[RenditionProfile]) -> tuple[Analysis, FfmpegExit]:
        try:
            return self._decode(profiles, _COUNT + self.mix, _stop_when_format_changes())
        except _FormatChangedError:
            # ffmpeg builds its filters anew there, and the count would start again: so the file's own
            # timestamps have to do. The price is a second run for such a file.
            return self._decode(profiles, self.mix, None)

    def _decode(
        self, profiles: Sequence[RenditionProfile], mix: str, on_log: Callable[[bytes], None] | None
    ) -> tuple[Analysis, FfmpegExit]:
        analysis = Analysis(self.out_dir, self.preview_start_s, self.max_duration_s, self.on_preview)
        self.files.update(analysis.preview_files)
        labels = [f"rendition{number}" for number in range(len(profiles))]
        branches = "".join(f"[{label}]" for label in (*labels, *analysis.labels))
        split = f"[0:a:0]{mix},asplit={len(labels) + len(analysis.labels)}{branches}"
        arguments = [
            argument
            for profile, label in zip(profiles, labels, strict=True)
            for argument in self._rendition_arguments(profile, label)
        ]
        ended = self._run(
            [split, *analysis.filters],
            arguments + analysis.output_arguments,
            analysis=analysis,
            on_log=on_log,
        )
        return analysis, ended

    def _encode_one_by_one(
        self, profiles: Sequence[RenditionProfile]
    ) -> tuple[list[RenditionProfile], list[tuple[str, str]]]:
        made: list[RenditionProfile] = []
        failed: list[tuple[str, str]] = []
        for profile in profiles:
            ended = self._run([f"[0:a:0]{_COUNT}{self.mix}[alone]"], self._rendition_arguments(profile, "alone"))
            if ended.returncode == 0:
                made.append(profile)
            else:
                failed.append((profile.name, f"The encoder for {profile.name} failed: {_last_words(ended.log)}"))
        return made, failed

    def _run(
        self,
        graph: list[str],
        outputs: list[str],
        *,
        analysis: Analysis | None = None,
        on_log: Callable[[bytes], None] | None = None,
    ) -> FfmpegExit:
        on_progress = self.on_progress
        if on_progress is not None and analysis is not None:
            report = on_progress  # ffmpeg's own clock follows its slowest output; samples don't lie

            def on_progress(_out_time_ms: int, speed: float) -> None:
                report(analysis.duration_ms, speed)

        ended = run_ffmpeg(
            self.ffmpeg,
            [
                # Loudness is reported at this level.
                "-v", "info", "-protocol_whitelist", "file,pipe", "-format_whitelist", AUDIO_DEMUXERS,
                # What can be decoded of a damaged file is wanted, however little.
                "-max_error_rate", "1", "-vn", "-sn", "-dn", "-i", file_url(self.source),
                "-filter_complex", ";".join(graph), *outputs,
            ],
            time_limit_s=self.deadline - time.monotonic(),
            niceness=self.niceness,
            on_stdout=analysis.add if analysis else None,
            on_log=on_log,
            on_progress=on_progress,
        )  # fmt: skip
        if ended.is_disk_full:
            raise EncodeError("disk_full", disk_full_words())
        return ended

    def _rendition_arguments(self, profile: RenditionProfile, label: str) -> list[str]:
        path = self._path(profile)
        self.files.add(path)
        return [
            "-map", f"[{label}]", "-map_metadata", "-1", "-map_chapters", "-1",
            "-b:a", f"{profile.bitrate_kbps}k", *profile.ffmpeg_args, file_url(path),
        ]  # fmt: skip

    def _path(self, profile: RenditionProfile) -> Path:
        return self.out_dir / f"{profile.name}{profile.suffix}"

    def remove_files(self, keep: set[Path | None] = frozenset()) -> None:  # type: ignore[assignment]
        for path in self.files - keep:
            path.unlink(missing_ok=True)


def _stop_when_format_changes() -> Callable[[bytes], None]:
    marker = b"Reconfiguring filter graph"
    rest = b""

    def watch(chunk: bytes) -> None:
        nonlocal rest
        if marker in rest + chunk:
            raise _FormatChangedError
        rest = chunk[-len(marker) :]

    return watch


def _last_words(log: str) -> str:
    """Return the most telling line of a log, without addresses and paths of this machine."""
    lines = [line for line in log.splitlines() if line.strip()]
    telling = [line for line in lines if re.search(r"error|unknown|invalid|fail|not ", line, re.IGNORECASE)]
    line = (telling or lines or ["no message"])[0 if telling else -1]
    line = re.sub(r"\[[^\]]*\]\s*", "", line)
    return re.sub(r"(file:)?/\S+/", "", line)[:200]

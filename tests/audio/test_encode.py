import os
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from musicapp.audio.encode import EncodeResult, encode
from musicapp.audio.errors import CancelledError, EncodeError, NotAudioError, TooLongError
from musicapp.audio.ladder import RenditionProfile, choose_profiles, parse_profiles
from musicapp.audio.preview import EarlyPreview, make_preview
from musicapp.audio.probe import probe
from tests.audio import make

LADDER = parse_profiles(["opus_64", "opus_128", "mp3_256"])
BROKEN = RenditionProfile("broken", "none", 64, ".none", "audio/none", ("-c:a", "no_such_encoder", "-f", "mp3"))

Encode = Callable[..., EncodeResult]


@pytest.fixture
def out_dir(tmp_path: Path) -> Path:
    folder = tmp_path / "out"
    folder.mkdir()
    return folder


@pytest.fixture
def run_encode(ffmpeg: str, out_dir: Path) -> Encode:
    def run(
        source: Path,
        profiles: Sequence[RenditionProfile] = LADDER,
        *,
        max_duration_s: int = 3600,
        declared_duration_ms: int | None = None,
        on_progress: Callable[[int, float], None] | None = None,
        on_preview: Callable[[Path], None] | None = None,
    ) -> EncodeResult:
        facts = probe(source, source.name)
        if declared_duration_ms is not None:
            facts = replace(facts, declared_duration_ms=declared_duration_ms)
        return encode(
            source,
            out_dir,
            choose_profiles(profiles, facts),
            facts=facts,
            max_duration_s=max_duration_s,
            ffmpeg=ffmpeg,
            on_progress=on_progress,
            on_preview=on_preview,
            time_limit_s=100,
        )

    return run


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


@pytest.mark.parametrize("suffix", make.FORMATS)
def test_every_format_is_encoded_with_its_true_duration(
    sounds: dict[str, Path], run_encode: Encode, out_dir: Path, suffix: str
) -> None:
    result = run_encode(sounds[suffix])
    assert result.duration_ms == pytest.approx(1000, abs=60)
    assert result.failed == ()
    for rendition in result.renditions:
        assert rendition.path.stat().st_size == rendition.size_bytes
        assert rendition.duration_ms == pytest.approx(result.duration_ms, abs=30)
        assert rendition.encoder_delay_samples
        # an Ogg file says where it ends in its last page
        assert (rendition.encoder_padding_samples is not None) == (rendition.profile.codec == "mp3")
        facts = probe(rendition.path, "x")
        assert facts.mime == rendition.profile.mime
        assert facts.channels == 2
        assert facts.tags.artists == ()  # whatever the file said about itself stays with the original
    assert names(out_dir) == {rendition.path.name for rendition in result.renditions} | {"preview-head.s16le"}


def test_loudness_of_a_known_tone_is_right(tmp_path: Path, run_encode: Encode) -> None:
    # EBU Tech 3341: a stereo 1 kHz sine at -23 dBFS measures -23 LUFS. ffmpeg's sine is at -18.06 dBFS.
    path = make.tone(
        tmp_path / "a.flac",
        *("-af", "volume=-4.94dB,pan=stereo|c0=c0|c1=c0", "-c:a", "flac", "-sample_fmt", "s32"),
        seconds=10,
        hertz=1000,
        layout="mono",
        rate_hz=48000,
    )
    loudness = run_encode(path, ()).loudness
    assert loudness.integrated_loudness_lufs == pytest.approx(-23, abs=0.2)
    assert loudness.true_peak_dbtp == pytest.approx(-23, abs=0.3)
    assert loudness.track_gain_db == pytest.approx(5, abs=0.2)


def test_mono_stays_mono_and_is_as_loud_as_it_is_heard(tmp_path: Path, run_encode: Encode) -> None:
    mono = make.tone(tmp_path / "mono.flac", seconds=3, layout="mono")
    result = run_encode(mono)
    assert {probe(rendition.path, "x").channels for rendition in result.renditions} == {1}
    both = make.tone(tmp_path / "both.flac", "-af", "pan=stereo|c0=c0|c1=c0", "-c:a", "flac", seconds=3, layout="mono")
    stereo = run_encode(both, ())
    assert result.loudness.integrated_loudness_lufs == stereo.loudness.integrated_loudness_lufs


@pytest.mark.parametrize("layout", ["5.1", "7.1", "quad"])
def test_surround_becomes_stereo(tmp_path: Path, run_encode: Encode, layout: str) -> None:
    result = run_encode(make.tone(tmp_path / "a.flac", layout=layout))
    assert {probe(rendition.path, "x").channels for rendition in result.renditions} == {2}


def test_waveform_describes_the_whole_track(tmp_path: Path, run_encode: Encode) -> None:
    half_silent = make.tone(tmp_path / "a.flac", "-af", "volume=enable='lt(t,5)':volume=0", "-c:a", "flac", seconds=10)
    waveform = run_encode(half_silent).waveform
    assert waveform["version"] == 2
    assert waveform["length"] * 2 == len(waveform["data"])
    seconds = waveform["length"] * waveform["samples_per_pixel"] / waveform["sample_rate"]
    assert seconds == pytest.approx(10, abs=0.05)
    middle = waveform["length"]
    assert max(waveform["data"][: middle - 20]) == 0
    assert min(waveform["data"][middle + 20 : -20 : 2]) <= -10


def test_silence_has_no_loudness_but_renditions(tmp_path: Path, run_encode: Encode) -> None:
    path = tmp_path / "a.flac"
    make.run_ffmpeg_plainly("-f", "lavfi", "-i", "anullsrc", "-t", "2", str(path))
    result = run_encode(path)
    assert result.loudness.integrated_loudness_lufs is None
    assert result.loudness.track_gain_db is None
    assert len(result.renditions) == 3


def test_truncated_file_is_accepted_with_the_duration_it_has(tmp_path: Path, run_encode: Encode) -> None:
    whole = make.tone(tmp_path / "whole.flac", seconds=20)
    result = run_encode(make.cut(whole, tmp_path / "cut.flac", 0.5))
    assert 5_000 < result.duration_ms < 15_000
    assert len(result.renditions) == 3
    for rendition in result.renditions:
        assert rendition.duration_ms == pytest.approx(result.duration_ms, abs=60)


def test_file_that_claims_audio_and_has_none_is_refused(
    sounds: dict[str, Path], tmp_path: Path, ffmpeg: str, out_dir: Path
) -> None:
    facts = probe(sounds[".flac"], "a.flac")
    hollow = make.cut(sounds[".flac"], tmp_path / "hollow.flac", 0.2)
    hollow.write_bytes(hollow.read_bytes()[:200] + bytes(5000))
    with pytest.raises(NotAudioError) as refused:
        encode(hollow, out_dir, LADDER, facts=facts, max_duration_s=60, ffmpeg=ffmpeg, time_limit_s=60)
    assert refused.value.reason == "undecodable"
    assert names(out_dir) == set()


def test_declared_length_is_never_trusted(tmp_path: Path, run_encode: Encode, out_dir: Path) -> None:
    path = make.tone(tmp_path / "a.flac", seconds=5)
    result = run_encode(path, declared_duration_ms=40 * 3600_000, max_duration_s=60)
    assert result.duration_ms == 5000
    assert result.preview is not None  # there is no 12th hour, so its beginning stands in
    assert result.preview.stat().st_size == 5 * 44100 * 4
    assert "preview-middle.s16le" not in names(out_dir)


def test_tiny_file_of_hours_is_stopped_and_leaves_nothing(tmp_path: Path, run_encode: Encode, out_dir: Path) -> None:
    path = make.silence(tmp_path / "silence.opus", minutes=180)
    assert path.stat().st_size < 1_000_000
    with pytest.raises(TooLongError) as stopped:
        run_encode(path, max_duration_s=120, declared_duration_ms=1000)
    assert stopped.value.reason == "too_long"
    assert "2 min" in str(stopped.value)
    assert names(out_dir) == set()
    assert not [child for child in psutil.Process().children() if "ffmpeg" in child.name()]


def test_exactly_the_limit_is_allowed(tmp_path: Path, run_encode: Encode) -> None:
    assert run_encode(make.tone(tmp_path / "a.wav", seconds=7), max_duration_s=7).duration_ms == 7000


def test_broken_encoder_costs_only_its_own_rendition(
    sounds: dict[str, Path], run_encode: Encode, out_dir: Path
) -> None:
    result = run_encode(sounds[".flac"], [LADDER[0], BROKEN, LADDER[2]])
    assert [rendition.profile.name for rendition in result.renditions] == ["opus_64", "mp3_256"]
    ((name, reason),) = result.failed
    assert name == "broken"
    assert "no_such_encoder" in reason
    assert str(out_dir) not in reason
    assert result.loudness.integrated_loudness_lufs is not None
    assert result.waveform["length"] > 900
    assert not (out_dir / "broken.none").exists()


def test_no_rendition_at_all_is_an_error(sounds: dict[str, Path], run_encode: Encode, out_dir: Path) -> None:
    with pytest.raises(EncodeError) as failed:
        run_encode(sounds[".flac"], [BROKEN])
    assert failed.value.reason == "no_rendition"
    assert names(out_dir) == set()


def test_cancelling_stops_at_once_and_leaves_nothing(tmp_path: Path, run_encode: Encode, out_dir: Path) -> None:
    calls: list[int] = []

    def cancel(decoded_ms: int, _speed: float) -> None:
        calls.append(decoded_ms)
        if len(calls) == 2:
            raise CancelledError

    began = time.monotonic()
    with pytest.raises(CancelledError):
        run_encode(make.silence(tmp_path / "a.opus", minutes=180), on_progress=cancel, max_duration_s=20_000)
    assert time.monotonic() - began < 20
    assert len(calls) == 2
    assert names(out_dir) == set()
    assert not [child for child in psutil.Process().children() if "ffmpeg" in child.name()]


def test_progress_ends_at_the_duration(tmp_path: Path, run_encode: Encode) -> None:
    calls: list[int] = []
    result = run_encode(make.tone(tmp_path / "a.flac", seconds=30), on_progress=lambda ms, _: calls.append(ms))
    assert calls == sorted(calls)
    assert calls[-1] == result.duration_ms == 30_000


def test_format_that_changes_midway_is_encoded_to_its_end(tmp_path: Path, run_encode: Encode) -> None:
    first = make.tone(tmp_path / "a.mp3", seconds=3)
    second = make.tone(tmp_path / "b.mp3", seconds=5, layout="mono", rate_hz=22050, hertz=880)
    joined = tmp_path / "joined.mp3"
    joined.write_bytes(first.read_bytes() + second.read_bytes())
    result = run_encode(joined)
    assert result.duration_ms == pytest.approx(8000, abs=150)
    for rendition in result.renditions:
        assert rendition.duration_ms == pytest.approx(8000, abs=200)
    assert result.loudness.integrated_loudness_lufs is not None


def test_preview_begins_at_a_third_and_fades(tmp_path: Path, run_encode: Encode, out_dir: Path, ffmpeg: str) -> None:
    # Silent until 27 s, where the preview of 90 s begins.
    path = make.tone(tmp_path / "a.flac", "-af", "volume=enable='lt(t,26.9)':volume=0", "-c:a", "flac", seconds=90)
    result = run_encode(path)
    assert result.preview is not None
    assert result.preview.stat().st_size == 30 * 44100 * 4
    preview = make_preview(result.preview, out_dir, ffmpeg=ffmpeg)
    assert preview.duration_ms == 30_000
    facts = probe(preview.path, "preview.mp3")
    assert facts.declared_duration_ms == pytest.approx(30_000, abs=60)
    assert facts.browser_playable
    loudest = [_peak(preview.path, start, ffmpeg) for start in (0, 0.7, 3, 29.5)]
    assert loudest[0] < 0.3 * loudest[2]
    assert 0.2 * loudest[2] < loudest[1] < 0.8 * loudest[2]
    assert loudest[3] < 0.5 * loudest[2]
    assert "preview-faded.wav" not in names(out_dir)


def test_preview_is_made_early_once_its_sound_is_complete(
    tmp_path: Path, run_encode: Encode, out_dir: Path, ffmpeg: str
) -> None:
    path = make.tone(tmp_path / "a.flac", "-c:a", "flac", seconds=600)
    told: list[tuple[Path, int]] = []
    with EarlyPreview(out_dir, ffmpeg=ffmpeg) as early:

        def begin(pcm: Path) -> None:
            told.append((pcm, pcm.stat().st_size))
            early.begin(pcm)

        result = run_encode(path, on_preview=begin)
        preview = early.finish(result.preview)
    assert told == [(result.preview, 30 * 44100 * 4)]
    assert preview is not None
    assert preview.duration_ms == 30_000
    assert early.finish(None) is None


def _peak(path: Path, start_s: float, ffmpeg: str) -> int:
    pcm = subprocess.run(
        [ffmpeg, "-v", "error", "-ss", str(start_s), "-t", "0.1", "-i", str(path), "-f", "s16le", "-ac", "1", "-"],
        capture_output=True,
        check=True,
    ).stdout
    return max(int.from_bytes(pcm[at : at + 2], "little", signed=True) for at in range(0, len(pcm), 2))


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=200k", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("a small tmpfs can't be mounted here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_full_disk_is_said_in_words_and_leaves_nothing(tmp_path: Path, small_disk: Path, ffmpeg: str) -> None:
    path = make.tone(tmp_path / "a.flac", seconds=20)
    facts = probe(path, "a.flac")
    with pytest.raises(EncodeError) as full:
        encode(path, small_disk, LADDER, facts=facts, max_duration_s=60, ffmpeg=ffmpeg, time_limit_s=60)
    assert full.value.reason == "disk_full"
    assert names(small_disk) == set()


def test_preview_on_a_full_disk_is_said_in_words_and_leaves_nothing(
    tmp_path: Path, small_disk: Path, ffmpeg: str
) -> None:
    pcm = tmp_path / "preview.s16le"
    pcm.write_bytes(bytes(30 * 44100 * 4))
    with pytest.raises(EncodeError) as full:
        make_preview(pcm, small_disk, ffmpeg=ffmpeg)
    assert full.value.reason == "disk_full"
    assert names(small_disk) == set()


@pytest.mark.parametrize("name", ["aac_192", "mp3_320", "opus_160"])
@pytest.mark.parametrize("rate_hz", [8000, 96000])
def test_every_codec_takes_every_sample_rate(tmp_path: Path, run_encode: Encode, name: str, rate_hz: int) -> None:
    result = run_encode(make.tone(tmp_path / "a.flac", seconds=3, rate_hz=rate_hz), parse_profiles([name]))
    (rendition,) = result.renditions
    assert rendition.duration_ms == pytest.approx(3000, abs=150)

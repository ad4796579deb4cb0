"""Real files that nobody in the project made, where the folder of samples is there."""

import csv
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from musicapp.audio.encode import encode
from musicapp.audio.errors import AudioError, NotAudioError
from musicapp.audio.ladder import choose_profiles, parse_profiles
from musicapp.audio.probe import probe

# Dozens of files each; a busy machine needs minutes for what an idle one does in seconds.
pytestmark = pytest.mark.timeout(600)

LADDER = parse_profiles(["opus_64"])


def files(samples: Path, group: str) -> Iterator[Path]:
    found = sorted((samples / "audio" / group).iterdir())
    assert found
    yield from found


def expected_s(samples: Path) -> dict[str, float]:
    with (samples / "EXPECT.tsv").open(newline="") as file:
        return {
            Path(row["file"]).name: float(row["decoded_s"])
            for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        }


def test_good_files_are_encoded_with_their_true_duration(samples: Path, tmp_path: Path, ffmpeg: str) -> None:
    expected = expected_s(samples)
    for path in files(samples, "good"):
        facts = probe(path, path.name)
        result = encode(
            path, tmp_path, choose_profiles(LADDER, facts),
            facts=facts, max_duration_s=600, ffmpeg=ffmpeg, time_limit_s=60,
        )  # fmt: skip
        assert result.failed == (), path.name
        assert result.renditions, path.name
        assert result.duration_ms == pytest.approx(expected[path.name] * 1000, abs=100), path.name


def test_bad_files_are_refused_with_reason(samples: Path) -> None:
    for path in files(samples, "bad"):
        with pytest.raises(NotAudioError) as refused:
            probe(path, path.name)
        assert refused.value.reason in {"empty", "image", "not_audio", "undecodable"}, path.name


def test_odd_files_end_in_a_result_or_a_reason_soon(samples: Path, tmp_path: Path, ffmpeg: str) -> None:
    for path in files(samples, "odd"):
        began = time.monotonic()
        try:
            facts = probe(path, path.name)
            result = encode(
                path, tmp_path, choose_profiles(LADDER, facts),
                facts=facts, max_duration_s=600, ffmpeg=ffmpeg, time_limit_s=60,
            )  # fmt: skip
            assert result.duration_ms > 0, path.name
        except AudioError:
            pass  # a reason in words is an answer too; anything else fails the test
        assert time.monotonic() - began < 20, path.name

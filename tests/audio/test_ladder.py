from dataclasses import replace

import pytest

from musicapp.audio.facts import StreamFacts
from musicapp.audio.ladder import choose_profiles, parse_profiles

LADDER = parse_profiles(["opus_64", "opus_128", "mp3_256"])
FLAC = StreamFacts("flac", "flac", "audio/flac", True, True, 44100, 2, "stereo", 16, 900, 1000, None, None)
MP3 = StreamFacts("mp3", "mp3", "audio/mpeg", True, False, 44100, 2, "stereo", None, 128, 1000, None, None)


def chosen(facts: StreamFacts, names: tuple[str, ...] = ("opus_64", "opus_128", "mp3_256")) -> dict[str, int]:
    return {profile.name: profile.bitrate_kbps for profile in choose_profiles(parse_profiles(names), facts)}


def test_lossless_gets_the_whole_ladder_even_below_its_bitrate() -> None:
    assert chosen(FLAC) == {"opus_64": 64, "opus_128": 128, "mp3_256": 256}
    assert chosen(replace(FLAC, bitrate_kbps=1)) == {"opus_64": 64, "opus_128": 128, "mp3_256": 256}


def test_lossy_source_is_never_given_more_bits_than_it_has() -> None:
    assert chosen(MP3) == {"opus_64": 64, "opus_128": 128}
    assert chosen(replace(MP3, bitrate_kbps=100)) == {"opus_64": 64}
    assert chosen(replace(MP3, bitrate_kbps=48)) == {"opus_64": 48}
    assert chosen(replace(MP3, bitrate_kbps=1)) == {"opus_64": 6}  # the least that Opus can do


def test_mp3_keeps_to_bitrates_that_exist() -> None:
    assert chosen(replace(MP3, bitrate_kbps=100), ("mp3_256",)) == {"mp3_256": 96}
    assert chosen(replace(MP3, bitrate_kbps=8), ("mp3_256",)) == {"mp3_256": 32}


def test_mono_takes_half_the_bits() -> None:
    assert chosen(replace(FLAC, channels=1)) == {"opus_64": 32, "opus_128": 64, "mp3_256": 128}


def test_unknown_bitrate_gets_the_whole_ladder() -> None:
    assert len(choose_profiles(LADDER, replace(MP3, bitrate_kbps=None))) == 3


@pytest.mark.parametrize("name", ["opus", "opus_", "opus_x", "opus_9999", "mp3_250", "wma_64", "aac_-5", "", "opus_٣٢"])
def test_unknown_profile_is_a_clear_error(name: str) -> None:
    with pytest.raises(ValueError, match="endition") as refused:
        parse_profiles(["opus_64", name])
    assert repr(name) in str(refused.value)


def test_empty_and_doubled_ladders_are_errors() -> None:
    with pytest.raises(ValueError, match="empty"):
        parse_profiles([])
    with pytest.raises(ValueError, match="twice"):
        parse_profiles(["opus_64", "opus_64"])

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from musicapp.playback.choice import Player, StoredAudio, choose, player_of

AT = datetime(2026, 3, 1, tzinfo=UTC)
SAFARI = "Mozilla/5.0 (Macintosh) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Safari/605.1.15"
CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36"
IOS_MEDIA = "AppleCoreMedia/1.0.0.21F90 (iPhone; U; CPU OS 17_5 like Mac OS X; en_us)"
FIREFOX_ACCEPT = "audio/webm,audio/ogg,audio/wav,audio/*;q=0.9,application/ogg;q=0.7,video/*;q=0.6,*/*;q=0.5"


def rendition(profile: str, mime: str = "audio/ogg") -> StoredAudio:
    codec, _, kbps = profile.partition("_")
    return StoredAudio(profile, codec, mime, int(kbps), AT)


def original(codec: str, mime: str, *, can_browsers_play: bool = True) -> StoredAudio:
    return StoredAudio("original", codec, mime, 0, AT, True, can_browsers_play)


LADDER = [rendition("opus_128"), rendition("mp3_256", "audio/mpeg"), rendition("opus_64")]
FLAC = original("flac", "audio/flac")
ALAC = original("alac", "audio/mp4", can_browsers_play=False)


def chosen(quality: str, files: list[StoredAudio], player: Player) -> str | None:
    audio = choose(quality, files, player)
    return audio.key if audio else None


@pytest.mark.parametrize(
    ("quality", "browser", "safari"),
    [("low", "opus_64", "mp3_256"), ("normal", "opus_128", "mp3_256"), ("high", "mp3_256", "mp3_256")]
    + [("original", "original", "original")],
)
def test_quality_picks_a_rung_that_the_player_can_play(quality: str, browser: str, safari: str) -> None:
    files = [*LADDER, FLAC]
    assert chosen(quality, files, player_of("", "*/*", CHROME)) == browser
    assert chosen(quality, files, player_of("", "*/*", SAFARI)) == safari
    assert chosen(quality, files, player_of("", "*/*", IOS_MEDIA)) == safari


def test_without_renditions_every_quality_is_the_original() -> None:
    for quality in ("low", "normal", "high", "original"):
        assert chosen(quality, [FLAC], Player()) == "original"
        assert chosen(quality, [ALAC], Player()) is None


def test_an_original_that_browsers_cannot_play_is_replaced_by_the_best_rendition() -> None:
    assert chosen("original", [*LADDER, ALAC], player_of("", "*/*", CHROME)) == "mp3_256"
    assert chosen("original", [*LADDER, ALAC], player_of("", "*/*", SAFARI)) == "original"


def test_a_player_that_names_its_formats_is_believed() -> None:
    assert chosen("low", [*LADDER, FLAC], player_of("mp3", "*/*", CHROME)) == "mp3_256"
    assert chosen("low", [*LADDER, FLAC], player_of("ogg,flac", "*/*", SAFARI)) == "opus_64"
    assert chosen("low", [*LADDER, FLAC], player_of(" OPUS , mp3 ", "*/*", SAFARI)) == "opus_64"
    assert chosen("original", [*LADDER, ALAC], player_of("alac", "*/*", CHROME)) == "original"
    assert chosen("low", [*LADDER, ALAC], player_of("wav", "*/*", CHROME)) is None


def test_an_accept_header_without_wildcards_is_believed() -> None:
    assert chosen("low", LADDER, player_of("", "audio/mpeg", CHROME)) == "mp3_256"
    assert chosen("low", LADDER, player_of("", "audio/mpeg;q=0.5, audio/ogg", CHROME)) == "opus_64"
    assert chosen("low", LADDER, player_of("", FIREFOX_ACCEPT, "Firefox/140")) == "opus_64"
    assert chosen("low", LADDER, player_of("", "application/json", CHROME)) == "opus_64"


def test_a_guess_never_silences_a_track() -> None:
    only_opus = [rendition("opus_64"), original("vorbis", "audio/ogg")]
    assert chosen("normal", only_opus, player_of("", "*/*", SAFARI)) == "opus_64"


def test_normal_takes_the_lowest_rung_where_none_is_moderate() -> None:
    assert chosen("normal", [rendition("mp3_320"), rendition("mp3_256")], Player()) == "mp3_256"


def test_an_unknown_quality_is_refused() -> None:
    with pytest.raises(ValueError, match="low, normal, high, original"):
        choose("best", LADDER, Player())


@pytest.mark.parametrize(
    ("codec", "mime", "name"),
    [("pcm_s16le", "audio/wav", "wav"), ("pcm_s16be", "audio/aiff", "aiff"), ("flac", "audio/ogg", "oggflac")]
    + [("mp3", "audio/mpeg", "mp3")],
)
def test_a_format_is_codec_and_wrapping(codec: str, mime: str, name: str) -> None:
    assert original(codec, mime).format == name

import resource
from pathlib import Path
from typing import Any

import mutagen.apev2
import mutagen.id3
import mutagen.mp4
import mutagen.oggopus
import pytest

from musicapp.audio.errors import NotAudioError
from musicapp.audio.probe import probe
from tests.audio import make

# mutagen's functions carry no types
apev2: Any = mutagen.apev2
id3: Any = mutagen.id3
mp4: Any = mutagen.mp4
oggopus: Any = mutagen.oggopus

EXPECTED = {
    ".mp3": ("mp3", "mp3", "audio/mpeg", True, False),
    ".flac": ("flac", "flac", "audio/flac", True, True),
    ".ogg": ("ogg", "vorbis", "audio/ogg", True, False),
    ".opus": ("ogg", "opus", "audio/ogg", True, False),
    ".m4a": ("mp4", "aac", "audio/mp4", True, False),
    ".wav": ("wav", "pcm_s16le", "audio/wav", True, True),
    ".aiff": ("aiff", "pcm_s16be", "audio/aiff", False, True),
    ".wma": ("asf", "wmav2", "audio/x-ms-wma", False, False),
    ".mka": ("matroska", "flac", "audio/x-matroska", False, True),
    ".webm": ("webm", "opus", "audio/webm", True, False),
}


@pytest.mark.parametrize("suffix", make.FORMATS)
def test_stream_facts_are_what_is_there(sounds: dict[str, Path], suffix: str) -> None:
    facts = probe(sounds[suffix], f"tone{suffix}")
    found = (facts.container, facts.codec, facts.mime, facts.browser_playable, facts.lossless)
    assert found == EXPECTED[suffix]
    assert (facts.channels, facts.layout) == (2, "stereo")
    assert facts.sample_rate_hz == (48000 if facts.codec == "opus" else 44100)
    assert facts.declared_duration_ms == pytest.approx(1000, abs=80)
    assert facts.bit_depth == (16 if facts.lossless else None)


@pytest.mark.parametrize("suffix", make.FORMATS)
def test_tags_of_every_format_are_read(sounds: dict[str, Path], suffix: str) -> None:
    tags = probe(sounds[suffix], f"tone{suffix}").tags
    assert tags.title == "Blue Hour"
    assert tags.artists == ("Ada Example",)
    assert tags.album == "Tides"
    if suffix != ".wav":  # RIFF INFO knows neither album artist nor disc
        assert tags.album_artists == ("The Examples",)
    assert (tags.track_number, tags.disc_number) == (3, None if suffix == ".wav" else 2)
    assert tags.genres == ("Ambient",)
    assert tags.date is not None
    assert tags.date.startswith("2021")


@pytest.mark.parametrize(
    ("arguments", "suffix", "playable"),
    [
        (("-c:a", "alac"), ".m4a", False),
        (("-c:a", "adpcm_ms"), ".wav", False),
        (("-c:a", "mp2", "-f", "mp2"), ".mp3", False),
        (("-c:a", "pcm_s24le"), ".wav", True),
        (("-c:a", "flac", "-f", "ogg"), ".ogg", True),
        (("-c:a", "wavpack"), ".wv", False),
        (("-c:a", "aac", "-f", "adts"), ".aac", True),
    ],
)
def test_only_what_browsers_play_is_called_playable(
    tmp_path: Path, arguments: tuple[str, ...], suffix: str, playable: bool
) -> None:
    facts = probe(make.tone(tmp_path / f"a{suffix}", *arguments), f"a{suffix}")
    assert facts.browser_playable is playable


def test_bit_depth_of_24_bit_flac_is_24(tmp_path: Path) -> None:
    path = make.tone(tmp_path / "a.flac", "-c:a", "flac", "-sample_fmt", "s32", "-bits_per_raw_sample", "24")
    assert probe(path, "a.flac").bit_depth == 24


def test_gapless_facts_are_read(sounds: dict[str, Path], tmp_path: Path) -> None:
    mp3 = probe(sounds[".mp3"], "a.mp3")
    assert mp3.encoder_delay_samples == 576
    assert mp3.encoder_padding_samples is not None
    total = 44100 + mp3.encoder_delay_samples + mp3.encoder_padding_samples
    assert total % 1152 == 0
    assert probe(sounds[".opus"], "a.opus").encoder_delay_samples == 312
    m4a = tmp_path / "a.m4a"
    m4a.write_bytes(sounds[".m4a"].read_bytes())
    file = mp4.MP4(m4a)
    smpb = b" 00000000 00000840 000001CA 00000000003F31F6"
    file["----:com.apple.iTunes:iTunSMPB"] = [mp4.MP4FreeForm(smpb)]
    file.save()
    facts = probe(m4a, "a.m4a")
    assert (facts.encoder_delay_samples, facts.encoder_padding_samples) == (0x840, 0x1CA)


def test_wrong_extension_does_not_matter_when_it_is_audio(sounds: dict[str, Path], tmp_path: Path) -> None:
    path = tmp_path / "song.mp3"
    path.write_bytes(sounds[".flac"].read_bytes())
    facts = probe(path, "song.mp3")
    assert (facts.container, facts.mime) == ("flac", "audio/flac")


def test_name_without_extension_or_with_odd_characters_is_no_trouble(sounds: dict[str, Path], tmp_path: Path) -> None:
    for name in ("3f2a", "-i.mp3", "a:b?.mp3", "conc%at|.mp3"):
        path = tmp_path / name
        path.write_bytes(sounds[".mp3"].read_bytes())
        assert probe(path, name).codec == "mp3"


def test_unreadable_files_are_refused_with_reason(sounds: dict[str, Path], tmp_path: Path) -> None:
    (tmp_path / "empty.mp3").touch()
    make.picture(tmp_path / "cover.jpg").rename(tmp_path / "image.mp3")
    (tmp_path / "text.mp3").write_text("Dear diary, " * 500)
    (tmp_path / "zeros.mp3").write_bytes(bytes(100_000))
    make.cut(sounds[".flac"], tmp_path / "head.flac", 0.004)
    (tmp_path / "playlist.mp3").write_text(f"#EXTM3U\n#EXTINF:1,\n{sounds['.mp3']}\n#EXT-X-ENDLIST\n")
    (tmp_path / "concat.mp3").write_text(f"ffconcat version 1.0\nfile {sounds['.mp3']}\n")
    reasons = {
        "empty.mp3": {"empty"},
        "image.mp3": {"image"},
        "text.mp3": {"not_audio"},
        "zeros.mp3": {"not_audio", "undecodable"},
        "head.flac": {"undecodable", "not_audio"},
        "playlist.mp3": {"not_audio"},
        "concat.mp3": {"not_audio"},
    }
    for name, allowed in reasons.items():
        with pytest.raises(NotAudioError) as refused:
            probe(tmp_path / name, name)
        assert refused.value.reason in allowed, name
        assert str(refused.value).endswith("."), name


def test_embedded_cover_comes_along_and_audio_is_found_beside_it(sounds: dict[str, Path], tmp_path: Path) -> None:
    cover = make.picture(tmp_path / "cover.png")
    for suffix in (".mp3", ".flac", ".m4a"):
        facts = probe(make.with_cover(sounds[suffix], cover, tmp_path / f"with{suffix}"), "x")
        assert facts.tags.cover is not None, suffix
        assert facts.tags.cover.mime == "image/png"
        assert facts.tags.cover.content == cover.read_bytes()


def test_twenty_thousand_comments_cost_neither_time_nor_memory(sounds: dict[str, Path], tmp_path: Path) -> None:
    path = make.flac_with_comments(sounds[".flac"], tmp_path / "a.flac", 20_000, b"ARTIST=Somebody %")
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    facts = probe(path, "a.flac")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    # The processor's time, which a busy machine does not change: past 2 s of it the tags would be given up.
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 2
    assert facts.tags.artists == ("Somebody %",)


@pytest.mark.parametrize("bomb", ["millions of comments", "compressed frame"])
def test_tags_made_to_exhaust_cost_only_themselves(sounds: dict[str, Path], tmp_path: Path, bomb: str) -> None:
    if bomb == "compressed frame":
        path = make.mp3_with_zip_bomb_tag(make.tone(tmp_path / "plain.mp3"), tmp_path / "a.mp3", unpacked_bytes=2 << 30)
    else:
        path = make.flac_with_comments(sounds[".flac"], tmp_path / "a.flac", 2_700_000, b"A=")
    facts = probe(path, "07 Bomb.mp3")
    assert facts.sample_rate_hz == 44100
    assert facts.tags.title == "Bomb"
    assert facts.tags.track_number == 7


def test_id3_frames_beyond_the_usual_are_understood(sounds: dict[str, Path], tmp_path: Path) -> None:
    path = tmp_path / "a.mp3"
    path.write_bytes(sounds[".mp3"].read_bytes())
    recording, album = "8b882575-08a5-4452-a7a7-cbb8a1531f9e", "9e873859-8aa4-4790-b985-5a953e8ef628"
    tags = id3.ID3()
    tags.add(id3.TIT2(encoding=0, text="rÃ¤ksmÃ¶rgÃ¥s"))  # UTF-8 that was called Latin-1
    tags.add(id3.TPE1(encoding=3, text=["A", "B\x00"]))
    tags.add(id3.TRCK(encoding=3, text="A1"))
    tags.add(id3.UFID(owner="http://musicbrainz.org", data=recording.encode()))
    tags.add(id3.TXXX(encoding=3, desc="MusicBrainz Album Id", text=album))
    tags.add(id3.TXXX(encoding=3, desc="MusicBrainz Artist Id", text=[recording, "not an id"]))
    tags.add(id3.TXXX(encoding=3, desc="REPLAYGAIN_TRACK_GAIN", text="-7.89 dB"))
    tags.add(id3.TXXX(encoding=3, desc="REPLAYGAIN_TRACK_PEAK", text="0.988"))
    tags.add(id3.USLT(encoding=3, lang="eng", desc="", text="first\r\nsecond\x07"))
    tags.add(id3.SYLT(encoding=3, lang="eng", format=2, type=1, text=[("first", 1000), ("second", 61_550)]))
    tags.save(path)
    found = probe(path, "a.mp3").tags
    assert found.title == "räksmörgås"
    assert found.artists == ("A", "B")
    assert found.track_number == 1
    assert found.musicbrainz_recording_id == recording
    assert found.musicbrainz_release_id == album
    assert found.musicbrainz_artist_ids == (recording,)
    assert (found.replaygain_track_gain_db, found.replaygain_track_peak) == (-7.89, 0.988)
    assert found.lyrics == "first\nsecond"
    assert found.synced_lyrics == "[00:01.00]first\n[01:01.55]second"


def test_ape_tags_and_opus_gain_are_understood(sounds: dict[str, Path], tmp_path: Path) -> None:
    mp3 = tmp_path / "a.mp3"
    make.run_ffmpeg_plainly("-i", str(sounds[".mp3"]), "-c", "copy", "-map_metadata", "-1", "-id3v2_version",
                            "0", "-write_id3v1", "0", str(mp3))  # fmt: skip
    ape = apev2.APEv2()
    ape["Title"], ape["Track"], ape["Album Artist"] = "Ape", "4/9", "Various"
    ape.save(mp3)
    tags = probe(mp3, "x.mp3").tags
    assert (tags.title, tags.track_number, tags.track_count) == ("Ape", 4, 9)
    assert tags.album_artists == ("Various",)
    opus = tmp_path / "a.opus"
    opus.write_bytes(sounds[".opus"].read_bytes())
    file = oggopus.OggOpus(opus)
    file["R128_TRACK_GAIN"] = "-512"
    file.save()
    assert probe(opus, "a.opus").tags.replaygain_track_gain_db == 3.0


def test_lyrics_that_are_lrc_count_as_synced(sounds: dict[str, Path], tmp_path: Path) -> None:
    path = make.tone(tmp_path / "a.flac", tags={"LYRICS": "[00:01.00]one\n[00:02.50]two"})
    tags = probe(path, "a.flac").tags
    assert tags.synced_lyrics == "[00:01.00]one\n[00:02.50]two"
    assert tags.lyrics == "one\ntwo"


def test_file_without_tags_is_named_by_its_file(tmp_path: Path) -> None:
    tags = probe(make.tone(tmp_path / "a.wav"), "../../x/03 - Night_drive.wav").tags
    assert (tags.title, tags.track_number) == ("Night drive", 3)

"""Reads tags by mutagen: one reader per way of tagging, all to the same canonical keys."""

import base64
import contextlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import filetype
import mutagen
from mutagen.aiff import AIFF
from mutagen.apev2 import APEv2
from mutagen.asf import ASF
from mutagen.dsf import DSF
from mutagen.flac import FLAC, Picture
from mutagen.id3 import ID3
from mutagen.mp4 import MP4
from mutagen.oggflac import OggFLAC
from mutagen.oggopus import OggOpus
from mutagen.oggspeex import OggSpeex
from mutagen.oggvorbis import OggVorbis
from mutagen.wave import WAVE

from musicapp.audio.facts import EmbeddedCover

Raw = dict[str, list[str]]

MAX_COVER_BYTES = 20_000_000
# More values than this under one key is junk, and would cost time later.
_MAX_VALUES_PER_KEY = 50
_FRONT_COVER = 3


class TagCollector:
    """Canonical values and the best picture so far; what is there first wins."""

    def __init__(self) -> None:
        self.raw: Raw = {}
        self.cover: EmbeddedCover | None = None
        self.itunes_gapless: str | None = None
        self._cover_is_front = False

    def add(self, key: str, values: Iterable[object]) -> None:
        kept = self.raw.setdefault(key, [])
        for value in values:
            if len(kept) >= _MAX_VALUES_PER_KEY:
                return
            kept.append(str(value))

    def add_cover(self, content: bytes, *, is_front: bool) -> None:
        if (self.cover and (self._cover_is_front or not is_front)) or not 0 < len(content) <= MAX_COVER_BYTES:
            return
        kind = filetype.guess(content[:8192])  # what it is counts, not what the tag calls it
        if kind is not None and kind.mime.startswith("image/"):
            self.cover, self._cover_is_front = EmbeddedCover(content, kind.mime), is_front

    def fill(self, other: Raw) -> None:
        for key, values in other.items():
            if not any(self.raw.get(key, ())):
                self.raw[key] = values


def read_tags(path: Path, container: str, codec: str, ffmpeg_tags: dict[str, str]) -> TagCollector:
    """Return what mutagen finds, and for what it does not find, what ffmpeg found. Never raises for
    broken tags: they are simply not there. Not bounded in time or memory: call it in a child.
    """
    collected = TagCollector()
    for load, take in _readers(container, codec):
        # Whatever a damaged tag makes mutagen raise, the music plays: struct.error, KeyError, ...
        with contextlib.suppress(Exception), path.open("rb") as file:
            tags = load(file)
            found = TagCollector()
            try:
                take(tags, found)
            finally:  # what was read before the damage counts
                collected.fill(found.raw)
                collected.cover = collected.cover or found.cover
                collected.itunes_gapless = collected.itunes_gapless or found.itunes_gapless
    fallback = TagCollector()
    for name, value in ffmpeg_tags.items():
        key = _VORBIS_KEYS.get(name.replace(" ", "").replace("_", ""))
        if key:
            fallback.add(key, [value])
    collected.fill(fallback.raw)
    return collected


_Reader = tuple[Callable[[Any], Any], Callable[[Any, TagCollector], None]]


def _readers(container: str, codec: str) -> list[_Reader]:
    id3, ape = (ID3, _take_id3), (APEv2, _take_vorbis)
    ogg = {"vorbis": OggVorbis, "opus": OggOpus, "flac": OggFLAC, "speex": OggSpeex}
    by_container: dict[str, list[_Reader]] = {
        "flac": [(FLAC, _take_vorbis), id3],
        "ogg": [(ogg.get(codec, mutagen.File), _take_vorbis)],
        "mp4": [(MP4, _take_mp4)],
        "asf": [(ASF, _take_asf)],
        "aiff": [(AIFF, _take_id3_file)],
        "wav": [(WAVE, _take_id3_file)],
        "dsf": [(DSF, _take_id3_file)],
        "ape": [ape, id3],
        "mpc": [ape, id3],
        "wv": [ape, id3],
    }
    return by_container.get(container, [id3, ape])


# Vorbis comments and APEv2 share most names; separators and case differ between programs.
_VORBIS_KEYS = {
    "title": "title",
    "artist": "artist",
    "artists": "artists",
    "album": "album",
    "albumartist": "albumartist",
    "track": "tracknumber",
    "tracknumber": "tracknumber",
    "tracktotal": "tracktotal",
    "totaltracks": "tracktotal",
    "disc": "discnumber",
    "discnumber": "discnumber",
    "date": "date",
    "year": "date",
    "genre": "genre",
    "isrc": "isrc",
    "tsrc": "isrc",
    "musicbrainztrackid": "musicbrainz_recording_id",
    "musicbrainzreleasetrackid": "musicbrainz_track_id",
    "musicbrainzalbumid": "musicbrainz_release_id",
    "musicbrainzartistid": "musicbrainz_artist_id",
    "lyrics": "lyrics",
    "unsyncedlyrics": "lyrics",
    "syncedlyrics": "syncedlyrics",
    "replaygaintrackgain": "replaygain_track_gain",
    "replaygaintrackpeak": "replaygain_track_peak",
    "comment": "comment",
    "description": "comment",
}


def _take_vorbis(file: Any, into: TagCollector) -> None:
    tags = getattr(file, "tags", file)
    for picture in getattr(file, "pictures", ()):
        into.add_cover(picture.data, is_front=picture.type == _FRONT_COVER)
    # Keys repeat by the thousand in broken files, and asking for one scans them all: so, one pass.
    pairs = list(tags) if hasattr(tags, "vendor") else [(key, tags[key]) for key in tags]
    for name, value in pairs:
        compact = name.lower().replace(" ", "").replace("_", "")
        key = _VORBIS_KEYS.get(compact)
        if key:
            into.add(key, str(value).split("\0"))
        elif compact == "r128trackgain":
            # Q7.8 against -23 LUFS; ReplayGain 2 aims at -18.
            into.add("replaygain_track_gain", [f"{int(value) / 256 + 5:.2f} dB"])
        elif compact == "metadatablockpicture" and len(value) <= MAX_COVER_BYTES * 3 // 2:
            with contextlib.suppress(Exception):
                picture = Picture(base64.b64decode(value))  # type: ignore[no-untyped-call]
                into.add_cover(picture.data, is_front=picture.type == _FRONT_COVER)
        elif compact == "coverart" and len(value) <= MAX_COVER_BYTES * 3 // 2:
            with contextlib.suppress(ValueError):
                into.add_cover(base64.b64decode(value), is_front=False)
        elif compact.startswith("coverart("):  # APEv2: a file name, a zero byte, the picture
            into.add_cover(bytes(value.value).partition(b"\0")[2], is_front="front" in compact)
    _prefer_single_artists(into)


def _prefer_single_artists(into: TagCollector) -> None:
    # "artist" is what the sleeve says ("A feat. B"); "artists", where there is one, lists them.
    artists = into.raw.pop("artists", None)
    if artists and len(artists) > len(into.raw.get("artist", ())):
        into.raw["artist"] = artists


_ID3_TEXTS = {
    "TIT2": "title", "TPE1": "artist", "TALB": "album", "TPE2": "albumartist", "TRCK": "tracknumber",
    "TPOS": "discnumber", "TDRC": "date", "TDRL": "date", "TDOR": "date", "TSRC": "isrc",
}  # fmt: skip


def _take_id3_file(file: Any, into: TagCollector) -> None:
    if file.tags is not None:
        _take_id3(file.tags, into)


def _take_id3(tags: Any, into: TagCollector) -> None:
    for name, key in _ID3_TEXTS.items():
        for frame in tags.getall(name):
            into.add(key, (_repair_latin1(str(text), frame) for text in frame.text))
    for frame in tags.getall("TCON"):
        into.add("genre", frame.genres)
    for frame in tags.getall("TXXX"):
        key_ = _VORBIS_KEYS.get(frame.desc.lower().replace(" ", "").replace("_", ""))
        if key_:
            into.add(key_, frame.text)
    for frame in tags.getall("UFID"):
        if frame.owner == "http://musicbrainz.org":
            into.add("musicbrainz_recording_id", [frame.data.decode("ascii", "replace")])
    for frame in tags.getall("RVA2"):
        if frame.desc.lower() in {"track", ""} and frame.channel == 1:
            into.add("replaygain_track_gain", [f"{frame.gain:.2f}"])
    for frame in tags.getall("SYLT"):
        into.add("syncedlyrics", _lrc(frame))
    for frame in tags.getall("USLT"):
        into.add("lyrics", [_repair_latin1(frame.text, frame)])
    for frame in tags.getall("COMM"):
        if frame.desc == "iTunSMPB":
            into.itunes_gapless = "".join(frame.text)
        elif not frame.desc.startswith("iTun"):
            into.add("comment", (_repair_latin1(str(text), frame) for text in frame.text))
    for frame in tags.getall("APIC"):
        into.add_cover(frame.data, is_front=frame.type == _FRONT_COVER)
    _prefer_single_artists(into)


def _repair_latin1(text: str, frame: Any) -> str:
    """Old programs wrote UTF-8 and called it Latin-1; real Latin-1 text is hardly ever valid UTF-8."""
    if getattr(frame, "encoding", None) != 0:
        return text
    try:
        return text.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return text


def _lrc(frame: Any) -> list[str]:
    """Return the LRC text of a SYLT frame in milliseconds; frames counted in MPEG frames have none."""
    if frame.format != 2:
        return []
    lines: list[list[Any]] = []
    by_syllable = any(text.startswith("\n") for text, _ in frame.text[1:])
    for text, at_ms in frame.text[:5000]:
        if by_syllable and lines and not text.startswith("\n"):
            lines[-1][1] += text
        else:
            lines.append([at_ms, text.strip("\r\n")])
    return ["\n".join(f"[{at // 60000:02}:{at % 60000 / 1000:05.2f}]{text.strip()}" for at, text in lines)]


_MP4_TEXTS = {
    "\xa9nam": "title", "\xa9ART": "artist", "\xa9alb": "album", "aART": "albumartist", "\xa9day": "date",
    "\xa9gen": "genre", "\xa9lyr": "lyrics", "\xa9cmt": "comment",
}  # fmt: skip


def _take_mp4(file: Any, into: TagCollector) -> None:
    tags = file.tags or {}
    for name, values in tags.items():
        if name in _MP4_TEXTS:
            into.add(_MP4_TEXTS[name], values)
        elif name in {"trkn", "disk"} and values:
            number, count = values[0]
            into.add("tracknumber" if name == "trkn" else "discnumber", [f"{number}/{count}"])
        elif name == "covr":
            for cover in values:
                into.add_cover(bytes(cover), is_front=True)
        elif name.startswith("----:"):
            label = name.rsplit(":", 1)[-1].lower().replace(" ", "").replace("_", "")
            texts = [bytes(value).decode("utf-8", "replace") for value in values[:_MAX_VALUES_PER_KEY]]
            if label == "itunsmpb":
                into.itunes_gapless = "".join(texts)
            elif label in _VORBIS_KEYS:
                into.add(_VORBIS_KEYS[label], texts)
    _prefer_single_artists(into)


_ASF_TEXTS = {
    "title": "title", "author": "artist", "wm/albumtitle": "album", "wm/albumartist": "albumartist",
    "wm/tracknumber": "tracknumber", "wm/partofset": "discnumber", "wm/year": "date", "wm/genre": "genre",
    "wm/isrc": "isrc", "wm/lyrics": "lyrics", "musicbrainz/trackid": "musicbrainz_recording_id",
    "musicbrainz/releasetrackid": "musicbrainz_track_id", "musicbrainz/albumid": "musicbrainz_release_id",
    "musicbrainz/artistid": "musicbrainz_artist_id", "wm/artists": "artists", "description": "comment",
    "replaygain_track_gain": "replaygain_track_gain", "replaygain_track_peak": "replaygain_track_peak",
}  # fmt: skip
_ASF_PICTURE_HEAD_BYTES = 5


def _take_asf(file: Any, into: TagCollector) -> None:
    for name, value in list(file.tags)[:10_000]:
        key = _ASF_TEXTS.get(name.lower().replace(" ", ""))
        if key:
            into.add(key, [value])
        elif name == "WM/Picture":
            # One byte kind, four bytes size, then MIME type and description in UTF-16, each ended by 0.
            content = bytes(value.value)
            size = int.from_bytes(content[1:_ASF_PICTURE_HEAD_BYTES], "little")
            into.add_cover(content[-size:] if size else b"", is_front=content[:1] == bytes([_FRONT_COVER]))
    _prefer_single_artists(into)

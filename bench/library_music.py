"""The music of a made-up library: artists, albums, tracks and files. library_rows.py has the rest and says more."""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import accumulate
from typing import Any

from bench.library_names import GENRES, Namer
from musicapp.catalog.text import fold, slug, sort_name

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
"""Fixed, so that the same seed gives the same library."""
EDITORS = 50
_LADDER = (
    ("opus_64", "opus", "audio/ogg", 64),
    ("opus_128", "opus", "audio/ogg", 128),
    ("mp3_256", "mp3", "audio/mpeg", 256),
)
_TRACKS_OF_AN_ALBUM = (1, 2, 4, 5, 8, 9, 10, 10, 11, 11, 12, 12, 13, 14, 16, 20, 32)


@dataclass(frozen=True, slots=True)
class Size:
    """How much of everything; `of(0.01)` is a hundredth of the full library."""

    tracks: int = 100_000
    albums: int = 10_000
    artists: int = 4_000
    users: int = 1_000
    playlists: int = 2_000
    longest_playlist: int = 10_000
    plays: int = 300_000

    @classmethod
    def of(cls, scale: float) -> Size:
        return cls(
            tracks=max(600, round(100_000 * scale)),
            albums=max(60, round(10_000 * scale)),
            artists=max(30, round(4_000 * scale)),
            users=max(EDITORS + 4, round(1_000 * scale)),
            playlists=max(20, round(2_000 * scale)),
            longest_playlist=max(120, round(10_000 * scale)),
            plays=max(1_000, round(300_000 * scale)),
        )


@dataclass(slots=True)
class Made:
    """What later tables need to know of earlier ones."""

    languages: list[str] = field(default_factory=list)  # of artist 1, 2, …
    artist_names: list[str] = field(default_factory=list)
    album_artists: list[int] = field(default_factory=list)
    album_years: list[int] = field(default_factory=list)
    track_albums: list[int] = field(default_factory=list)
    track_ms: list[int] = field(default_factory=list)
    heard: list[int] = field(default_factory=list)  # for random.choices: how much track 1, 2, … is heard, added up


Row = dict[str, Any]


class MusicRows:
    """Rows of the catalog. Later tables need what earlier ones made: see Library.tables()."""

    def __init__(self, size: Size, *, seed: int = 7, password_hash: str = "!") -> None:
        self.size = size
        self._chance = random.Random(seed)
        self._namer = Namer(random.Random(seed + 1))
        self._password_hash = password_hash
        self._made = Made()
        # The last albums are drafts, which nobody but their artist's members may see.
        self._drafts_after = size.albums - size.albums // 100

    def _genres(self) -> Iterator[Row]:
        for number, name in enumerate(GENRES, 1):
            yield {"id": number, "name": name, "slug": slug(name)}

    def _artworks(self) -> Iterator[Row]:
        """A cover for each album, then a picture for each artist. The files are not made."""
        for number in range(1, self.size.albums + self.size.artists + 1):
            name = self._hex()
            yield {
                "id": number,
                "key": f"artworks/{name[:2]}/{name}",
                "sha256": name * 2,
                "width": 1400,
                "height": 1400,
                "sizes": [96, 320, 640, 1200],
                "color": f"#{self._chance.randrange(1 << 24):06x}",
                "created_at": NOW,
            }

    def _artists(self) -> Iterator[Row]:
        for number in range(1, self.size.artists + 1):
            code = self._namer.language()
            name = self._namer.band(code)[:200]
            self._made.languages.append(code)
            self._made.artist_names.append(name)
            yield {
                "id": number,
                "name": name,
                "sort_name": sort_name(name, 200),
                "search_text": fold(name, 400),
                "bio": ". ".join(self._namer.title(code) for _ in range(self._chance.randint(0, 12))),
                "picture_id": self.size.albums + number if self._chance.random() < 0.7 else None,
                "created_at": self._before(1000),
            }

    def _members(self) -> Iterator[Row]:
        for number in range(1, self.size.artists + 1):
            if number == 1 or self._chance.random() < 0.2:
                user_id = 1 if number == 1 else self._chance.randint(1, self.size.users)
                yield {"artist_id": number, "user_id": user_id, "role": "owner"}

    def _albums(self) -> Iterator[Row]:
        made, artists = self._made, self.size.artists
        # Everybody has one; the rest falls to few.
        owners = list(range(1, artists + 1)) + [
            1 + int(artists * self._chance.random() ** 2.2) for _ in range(self.size.albums - artists)
        ]
        self._chance.shuffle(owners)
        for number, artist_id in enumerate(owners, 1):
            title = self._namer.title(made.languages[artist_id - 1])[:300]
            released = date(2026, 10, 31) - timedelta(days=int(22_000 * self._chance.random() ** 2.5))
            made.album_artists.append(artist_id)
            made.album_years.append(released.year)
            yield {
                "id": number,
                "artist_id": artist_id,
                "title": title,
                "sort_title": sort_name(title, 300),
                "search_text": fold(f"{title} {made.artist_names[artist_id - 1]}", 600),
                "kind": "album",
                "release_on": released,
                "published_at": self._before(700) if number <= self._drafts_after else None,
                "description": "",
                "cover_id": number if self._chance.random() < 0.95 else None,
                "created_at": self._before(1000),
                "updated_at": NOW,
            }

    def _album_credits(self) -> Iterator[Row]:
        number = 0
        for album_id, artist_id in enumerate(self._made.album_artists, 1):
            guests = [self._chance.randint(1, self.size.artists)] if self._chance.random() < 0.06 else []
            for position, credited in enumerate((artist_id, *(guest for guest in guests if guest != artist_id))):
                number += 1
                yield {
                    "id": number,
                    "album_id": album_id,
                    "artist_id": credited,
                    "credited_as": self._made.artist_names[credited - 1],
                    "join_phrase": " & " if position == 0 and len(guests) and guests[0] != artist_id else "",
                    "position": position,
                }

    def _album_genres(self) -> Iterator[Row]:
        for album_id in range(1, self.size.albums + 1):
            count = self._chance.choice((1, 1, 2, 3))
            for genre_id in {1 + int(len(GENRES) * self._chance.random() ** 2) for _ in range(count)}:
                yield {"album_id": album_id, "genre_id": genre_id}

    # Tracks and their files

    def _track_counts(self) -> list[int]:
        """How many tracks each album has: singles to box sets, exactly `size.tracks` in all, at least one each."""
        counts = [self._chance.choice(_TRACKS_OF_AN_ALBUM) for _ in range(self.size.albums)]
        counts[0] = 12
        missing = self.size.tracks - sum(counts)
        while missing:
            album = self._chance.randrange(1, self.size.albums)
            step = 1 if missing > 0 else -1 if counts[album] > 1 else 0
            counts[album] += step
            missing -= step
        return counts

    def _tracks(self) -> Iterator[Row]:
        made = self._made
        number, heard = 0, []
        for album_id, count in enumerate(self._track_counts(), 1):
            code = made.languages[made.album_artists[album_id - 1] - 1]
            artist = made.artist_names[made.album_artists[album_id - 1] - 1]
            for position in range(1, count + 1):
                number += 1
                title = self._namer.track_title(code)[:500]
                duration_ms = max(21_000, int(self._chance.gauss(228_000, 70_000)))
                plays = int(self._chance.paretovariate(0.9)) if self._chance.random() < 0.7 else 0
                gain_db = round(self._chance.gauss(-7, 3), 2)
                made.track_albums.append(album_id)
                made.track_ms.append(duration_ms)
                heard.append(min(plays, 2_000) + 1 if album_id <= self._drafts_after else 0)
                yield {
                    "id": number,
                    "album_id": album_id,
                    "title": title,
                    "sort_title": sort_name(title, 500),
                    "search_text": fold(f"{title} {artist}", 1000),
                    "track_number": position,
                    "position": position,
                    "duration_ms": duration_ms,
                    "recorded_on": str(made.album_years[album_id - 1]),
                    "musicbrainz_recording_id": self._uuid() if self._chance.random() < 0.5 else None,
                    "isrc": f"XX{number:010d}" if self._chance.random() < 0.3 else None,
                    "integrated_loudness_lufs": -18 - gain_db,
                    "true_peak_dbtp": -0.3,
                    "track_gain_db": gain_db,
                    "waveform_key": f"waveforms/{self._hex()}",
                    "preview_key": f"previews/{self._hex()}.mp3",
                    "play_count": plays,
                    "ready_at": NOW,
                    "created_at": NOW,
                }
        made.heard = list(accumulate(heard))

    def _track_credits(self) -> Iterator[Row]:
        made, number = self._made, 0
        for track_id, album_id in enumerate(made.track_albums, 1):
            artist_id = made.album_artists[album_id - 1]
            guest = self._chance.randint(1, self.size.artists) if self._chance.random() < 0.08 else artist_id
            for position, credited in enumerate(dict.fromkeys((artist_id, guest))):
                number += 1
                yield {
                    "id": number,
                    "track_id": track_id,
                    "artist_id": credited,
                    "credited_as": made.artist_names[credited - 1],
                    "join_phrase": " feat. " if position == 0 and guest != artist_id else "",
                    "position": position,
                }

    def _originals(self) -> Iterator[Row]:
        for track_id, duration_ms in enumerate(self._made.track_ms, 1):
            name = self._hex()
            yield {
                "track_id": track_id,
                "key": f"originals/{name[:2]}/{name}.flac",
                "filename": f"{track_id:06d}.flac",
                "sha256": name * 2,
                "size_bytes": duration_ms * 110,
                "container": "flac",
                "codec": "flac",
                "mime": "audio/flac",
                "is_browser_playable": True,
                "is_lossless": True,
                "sample_rate_hz": 44_100,
                "channels": 2,
                "layout": "stereo",
                "bit_depth": 16,
                "bitrate_kbps": 880,
                "owner_id": 1 + track_id % self.size.users,
                "created_at": NOW,
            }

    def _renditions(self) -> Iterator[Row]:
        number = 0
        for track_id, duration_ms in enumerate(self._made.track_ms, 1):
            for profile, codec, mime, kbps in _LADDER:
                number += 1
                name = self._hex()
                yield {
                    "id": number,
                    "track_id": track_id,
                    "profile": profile,
                    "key": f"renditions/{track_id}/{name[:2]}/{name}.{codec}",
                    "codec": codec,
                    "mime": mime,
                    "bitrate_kbps": kbps,
                    "size_bytes": duration_ms * kbps // 8,
                    "duration_ms": duration_ms,
                    "encoder_delay_samples": 312,
                    "encoder_padding_samples": 0,
                    "created_at": NOW,
                }

    def _before(self, days: int) -> datetime:
        """An instant within so many days, more of them lately."""
        return NOW - timedelta(seconds=int(days * 86_400 * self._chance.random() ** 1.5))

    def _hex(self) -> str:
        return f"{self._chance.getrandbits(128):032x}"

    def _uuid(self) -> str:
        return str(uuid.UUID(int=self._chance.getrandbits(128), version=4))

"""The rows of a made-up library: who there is, what they made, keep, play and put into playlists.

The same seed gives the same rows with the same ids. Everything is long-tailed, as in life: few artists have many
albums, few tracks have most plays, most playlists are short. Pure: what is written where stands in library_store.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from fractional_indexing import generate_n_keys_between

from bench.library_music import EDITORS, NOW, MusicRows, Row
from musicapp.catalog.text import slug, sort_name

CAST = ("alice", "bob", "charlie", "admin")
"""Users 1 to 4: alice owns the playlists below, bob edits them, charlie has joined nothing."""
LONG_PLAYLIST_ID = 1
"""Of alice, public, 10,000 tracks, edited by bob and the next 48 users: fifty editors in all."""
HUNDRED_PLAYLIST_IDS = tuple(range(2, 12))


class Library(MusicRows):
    """Generates the rows table by table. `tables()` must be read in its order, once."""

    def tables(self) -> Iterator[tuple[str, Iterator[Row]]]:
        """(name of the table, its rows), parents before children."""
        yield "users", self._users()
        yield "genres", self._genres()
        yield "artworks", self._artworks()
        yield "artists", self._artists()
        yield "artist_members", self._members()
        yield "albums", self._albums()
        yield "album_credits", self._album_credits()
        yield "album_genres", self._album_genres()
        yield "tracks", self._tracks()
        yield "track_credits", self._track_credits()
        yield "originals", self._originals()
        yield "renditions", self._renditions()
        yield "track_likes", self._kept("track_id", self.size.tracks, 60)
        yield "album_likes", self._kept("album_id", self._drafts_after, 15)
        yield "artist_follows", self._kept("artist_id", self.size.artists, 12)
        yield "plays", self._plays()
        yield from self._playlists()

    # People and what they publish

    def _users(self) -> Iterator[Row]:
        seen: set[str] = set()
        for number in range(1, self.size.users + 1):
            code = self._namer.language()
            name = CAST[number - 1].title() if number <= len(CAST) else self._namer.full_name(code)
            login = slug(name).replace("-", "") or "listener"
            login = login if login not in seen and number <= len(CAST) else f"{login[:20]}{number}"
            seen.add(login)
            yield {
                "id": number,
                "username": login,
                "username_key": login.casefold(),
                "display_name": name,
                "email": f"listener-{number}@example.org",
                "email_confirmed_at": NOW,
                "password_hash": self._password_hash,
                "role": "admin" if login == "admin" else "user",
                "created_at": self._before(900),
            }

    def _kept(self, column: str, count: int, mean: int) -> Iterator[Row]:
        for user_id in range(1, self.size.users + 1):
            kept = min(count // 2, int(self._chance.expovariate(1 / mean)) + 2)
            for subject_id in {1 + int(count * self._chance.random() ** 1.5) for _ in range(kept)}:
                yield {"user_id": user_id, column: subject_id, "created_at": self._before(600)}

    def _plays(self) -> Iterator[Row]:
        # Few listen much: alice's history is long.
        listeners = [1 + int(self.size.users * self._chance.random() ** 2) for _ in range(self.size.plays)]
        tracks = self._some_tracks(self.size.plays)
        for number, (user_id, track_id) in enumerate(zip(listeners, tracks, strict=True), 1):
            at = self._before(400)
            yield {
                "id": number,
                "hearing_id": f"bench-{number}",
                "user_id": user_id,
                "listener": f"user-{user_id}",
                "track_id": track_id,
                "album_id": self._made.track_albums[track_id - 1],
                "started_at": at,
                "counted_at": at + timedelta(minutes=2),
                "source": f"album-{self._made.track_albums[track_id - 1]}",
                "device": "Firefox, Linux",
            }

    def _playlists(self) -> Iterator[tuple[str, Iterator[Row]]]:
        playlists: list[Row] = []
        entries: list[Row] = []
        members: list[Row] = []
        follows: list[Row] = []
        changes: list[Row] = []
        for number in range(1, self.size.playlists + 1):
            special = number == LONG_PLAYLIST_ID or number in HUNDRED_PLAYLIST_IDS
            owner_id = 1 if special else self._chance.randint(1, self.size.users)
            track_ids = self._some_tracks(self._playlist_length(number))
            name = self._namer.playlist(self._namer.language())[:200]
            visibility = "public" if special else self._chance.choice(("public", "public", "private", "unlisted"))
            at = self._before(500)
            editors = range(2, EDITORS + 1) if special else self._editors(owner_id)
            followers = self._followers(owner_id, number)
            members += [
                {"playlist_id": number, "user_id": owner_id, "role": "owner", "joined_at": at},
                *({"playlist_id": number, "user_id": i, "role": "editor", "joined_at": at} for i in editors),
            ]
            follows += [{"playlist_id": number, "user_id": i, "created_at": at, "seen_version": 1} for i in followers]
            first_entry_id = len(entries) + 1
            keys = generate_n_keys_between(None, None, len(track_ids))
            added = []
            for entry_id, (track_id, key) in enumerate(zip(track_ids, keys, strict=True), first_entry_id):
                entry = {"id": entry_id, "playlist_id": number, "track_id": track_id, "order_key": key}
                entries.append({**entry, "added_by_id": owner_id, "added_at": at, "placed_version": 1})
                added.append([entry_id, key, track_id, None])
            changes.append(_change(number, owner_id, added, at))
            playlists.append(
                {
                    "id": number,
                    "owner_id": owner_id,
                    "name": name,
                    "sort_name": sort_name(name, 200),
                    "visibility": visibility,
                    "link_token": self._hex(),
                    "version": 1,
                    "track_count": len(track_ids),
                    "duration_ms": sum(self._made.track_ms[track_id - 1] for track_id in track_ids),
                    "follower_count": len(followers),
                    "created_at": at,
                    "updated_at": at,
                }
            )
        yield "playlists", iter(playlists)
        yield "playlist_members", iter(members)
        yield "playlist_follows", iter(follows)
        yield "playlist_entries", iter(entries)
        yield "playlist_changes", iter(changes)

    def _playlist_length(self, number: int) -> int:
        if number == LONG_PLAYLIST_ID:
            return self.size.longest_playlist
        if number in HUNDRED_PLAYLIST_IDS:
            return 100
        return min(2_000, int(14 * self._chance.paretovariate(1.2)))

    def _editors(self, owner_id: int) -> list[int]:
        count = self._chance.choice((0, 0, 0, 0, 0, 1, 1, 2, 4))
        return sorted({self._chance.randint(1, self.size.users) for _ in range(count)} - {owner_id})

    def _followers(self, owner_id: int, number: int) -> list[int]:
        count = min(self.size.users // 3, int(self._chance.paretovariate(0.8)) - 1)
        return sorted({self._chance.randint(1, self.size.users) for _ in range(count)} - {owner_id})

    def _some_tracks(self, count: int) -> list[int]:
        """Track ids, those heard much more often; none of a draft."""
        return self._chance.choices(range(1, self.size.tracks + 1), cum_weights=self._made.heard, k=count)


def _change(playlist_id: int, user_id: int, added: list[list[Any]], at: datetime) -> Row:
    """The one change that made the playlist, as musicapp.playlists writes it."""
    return {
        "id": playlist_id,
        "playlist_id": playlist_id,
        "version": 1,
        "user_id": user_id,
        "kind": "created",
        "changed": {"added": added},
        "summary": {"added_count": len(added), "entry_ids": [entry[0] for entry in added[:3]]},
        "created_at": at,
    }

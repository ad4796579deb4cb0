from __future__ import annotations

import json
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import update

from musicapp.catalog.models import Track
from musicapp.core.db import db
from musicapp.playlists import queries, services
from musicapp.playlists.errors import ExchangeError
from musicapp.playlists.exchange import (
    MAX_BYTES,
    PlaylistWords,
    read_playlist_file,
    write_jspf,
    write_m3u8,
)
from tests.catalog.conftest import statements
from tests.playlists.conftest import Lists, add_tracks

SITE = "http://localhost"
RECORDING = "b1a9c0e9-d987-4042-ae91-78d6a3267d69"
WORDS = PlaylistWords("Évening", "alice", "Slow songs.", f"{SITE}/playlists/1")


def describe(track_id: int, **values: Any) -> None:
    db.session.execute(update(Track).where(Track.id == track_id).values(**values))


def exported(playlist_id: int, viewer_id: int, as_jspf: bool = False) -> str:
    write = write_jspf if as_jspf else write_m3u8
    return "".join(write(WORDS, queries.export_rows(playlist_id, viewer_id), SITE))


def test_m3u8_names_every_track_that_the_viewer_may_see(lists: Lists, context: Flask) -> None:
    playlist_id = lists.playlist(3, 1)
    services.add_tracks(playlist_id, lists.alice, [lists.draft_track])
    describe(lists.tracks[0], duration_ms=None)
    assert exported(playlist_id, lists.bob).splitlines() == [
        "#EXTM3U",
        "#PLAYLIST:Évening",
        "#EXTINF:180,The Auroras - Track 3",
        "#EXTALB:Winter",
        f"{SITE}/tracks/{lists.tracks[2]}",
        "#EXTINF:-1,The Auroras - Track 1",
        "#EXTALB:Winter",
        f"{SITE}/tracks/{lists.tracks[0]}",
    ]
    assert "Unheard" in exported(playlist_id, lists.alice)


def test_jspf_is_json_with_all_that_is_known(lists: Lists, context: Flask) -> None:
    playlist_id = lists.playlist(2, 1)
    describe(lists.tracks[1], musicbrainz_recording_id=RECORDING, isrc="USRC17607839", title='Say "ø"\\')
    playlist = json.loads(exported(playlist_id, lists.alice, as_jspf=True))["playlist"]
    assert (playlist["title"], playlist["creator"], playlist["annotation"]) == ("Évening", "alice", "Slow songs.")
    assert playlist["track"][0] == {
        "location": [f"{SITE}/tracks/{lists.tracks[1]}"],
        "identifier": [f"https://musicbrainz.org/recording/{RECORDING}"],
        "title": 'Say "ø"\\',
        "creator": "The Auroras",
        "album": "Winter",
        "duration": 120_000,
        "extension": {"https://musicbrainz.org/doc/jspf#track": {"additional_metadata": {"isrc": "USRC17607839"}}},
    }
    assert json.loads(exported(lists.playlist(), lists.alice, as_jspf=True))["playlist"]["track"] == []


@pytest.mark.parametrize("as_jspf", [False, True])
def test_what_was_exported_comes_back_as_it_was(lists: Lists, context: Flask, as_jspf: bool) -> None:
    playlist_id = lists.playlist(5, 5, 9, 1)
    content = exported(playlist_id, lists.alice, as_jspf).encode()
    imported = services.import_playlist(lists.charlie, content, "mine.m3u8")
    assert imported.playlist is not None
    assert (imported.matched_count, imported.missed) == (4, ())
    assert (imported.playlist.name, imported.playlist.visibility) == ("Évening", "private")
    assert lists.titles(imported.playlist.id, lists.charlie) == "5591"


def test_lines_are_found_by_address_identifier_and_name(lists: Lists, context: Flask) -> None:
    one, two, three, four, five, *_ = lists.tracks
    describe(two, musicbrainz_recording_id=RECORDING)
    describe(three, isrc="USRC17607839")
    describe(four, title="Où - là", search_text="ou - la")
    tracks = [
        {"location": f"{SITE}/tracks/{one}", "title": "whatever"},
        {"identifier": f"https://musicbrainz.org/recording/{RECORDING}"},
        {"identifier": ["isrc:US-RC1-76-07839"]},
        {"creator": "THE AURORAS", "title": "OÙ - LÀ"},
        {"creator": "Somebody", "title": "Track 5"},
        {"location": "https://elsewhere.example/tracks/1"},
        {"location": f"{SITE}/tracks/{lists.draft_track}"},
        {},
        17,
    ]
    file = read_playlist_file(json.dumps({"playlist": {"track": tracks}}).encode())
    ids, missed = services.match_lines(file.lines, lists.charlie)
    assert ids == [one, two, three, four]
    assert [line.number for line in missed] == [5, 6, 7, 8, 9]
    assert (missed[0].words, missed[0].reason) == (
        "Somebody - Track 5",
        "No track of this name by this artist is here.",
    )
    assert missed[3].reason == missed[4].reason == "The line names no track."
    assert five not in ids


def test_m3u_of_old_players_is_read(lists: Lists, context: Flask) -> None:
    describe(lists.tracks[3], title="Ou - la", search_text="ou - la")
    text = (
        "\ufeff#EXTM3U\r\n#PLAYLIST: Mine \r\n"
        '#EXTINF:60 tvg-id="x",The Auroras - Track 1\r\nC:\\Music\\a.mp3\r\n'
        "# a comment\r\n\r\n"
        "D:\\Music\\02 - The Auroras - Track 2.mp3\r\n"
        "/music/The%20Auroras%20-%20Track%203.mp3\n"
        "#EXTINF:-1,the auroras – OÙ - LÀ\nx.mp3\n"
        "#EXTINF:7,nobody - nothing\n"
    )
    file = read_playlist_file(text.encode(), "list.m3u")
    assert (file.name, len(file.lines)) == ("Mine", 5)
    ids, missed = services.match_lines(file.lines, lists.bob)
    assert ids == lists.tracks[:4]
    assert [line.words for line in missed] == ["nobody - nothing"]
    latin = read_playlist_file("#EXTINF:1,Beyoncé - Déjà vu\nx.mp3".encode("latin-1"), "C:\\lists\\Été.m3u")
    assert (latin.name, latin.lines[0].label) == ("Été", "Beyoncé - Déjà vu")


def test_length_chooses_among_tracks_of_one_name(lists: Lists, context: Flask) -> None:
    short, long = add_tracks(lists.album, lists.artist, ["Same", "Same"])
    text = "#EXTINF:121,The Auroras - Same\na\n#EXTINF:58,The Auroras - Same\nb\n"
    assert services.match_lines(read_playlist_file(text.encode()).lines, lists.bob)[0] == [long, short]
    assert services.match_lines(read_playlist_file(b"Same.mp3").lines, lists.bob)[0] == [short]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "no track in this file"),
        (b"#EXTM3U\n# nothing\n", "no track in this file"),
        (b"ID3\x00\x00", "isn't a playlist file"),
        (b'{"playlist"', "isn't JSON"),
        (b"{" * 100_000, "isn't JSON"),
        (b'{"playlist": []}', "isn't a JSPF playlist"),
        (b'{"a": ' + b'{"a": ' * 100_000, "isn't JSON"),
        (b"x\n" * 11, "more than 10 tracks"),
        (b"x" * (MAX_BYTES + 1), "larger than 5 MB"),
    ],
    ids=range(9),
)
def test_bad_files_are_refused_in_words(content: bytes, words: str) -> None:
    with pytest.raises(ExchangeError, match=words):
        read_playlist_file(content, most_lines=10)


def test_text_that_databases_do_not_take_is_read_without_it(lists: Lists, context: Flask) -> None:
    titles = r'{"title": "Tr\u0000ack 1"}, {"title": "\ud800", "creator": "\udfff\u0000"}'
    content = rf'{{"playlist": {{"title": "\ud800 Ours\u0000", "annotation": "\u0000", "track": [{titles}]}}}}'
    imported = services.import_playlist(lists.bob, content.encode())
    assert imported.playlist is not None
    assert imported.playlist.name == "? Ours"
    assert imported.matched_count == 1


def test_nothing_is_made_of_a_file_whose_tracks_are_not_here(lists: Lists, context: Flask) -> None:
    imported = services.import_playlist(lists.bob, b"#EXTINF:1,A - B\nx\n")
    assert (imported.playlist, imported.matched_count, len(imported.missed)) == (None, 0, 1)
    assert queries.playlists_of(lists.bob) == []


def test_long_file_is_matched_in_few_statements(lists: Lists, context: Flask) -> None:
    text = "".join(f"#EXTINF:{n},The Auroras - Track {n % 12}\n{SITE}/other/{n}.mp3\n" for n in range(3_000))
    lines = read_playlist_file(text.encode()).lines
    with statements() as ran:
        ids, missed = services.match_lines(lines, lists.bob)
    assert (len(ids), len(missed)) == (2_250, 750)
    assert len(ran) <= 5

"""Whatever is sent to the doors of playlists, library, search and play queue: an answer, never an error of ours."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest
from werkzeug.datastructures import MultiDict
from werkzeug.routing import BuildError

from tests.playlists.conftest import Lists

ROOMS = ("playlists", "library", "browse", "play_queue")
ROUNDS = 2
"""Of every door: enough to meet most fields; raise it after a change of many doors."""
NASTY = (
    *("", "0", "1", "2", "3", "-1", "2147483647", "2147483648", "9223372036854775808", "9" * 400, "9" * 5000, "abc"),
    *(
        "1e9",
        "1.5",
        "١٢",
        " 1 ",
        "\0",
        "a\0b",
        "\u202eabc\u2066",
        "x" * 10_000,
        "🎵👩‍👩‍👧‍👦",
        "\ufffd",
        "\ud7ff\uffff",
        "東京",
    ),
    *("'; --", '" OR 1', "* AND (", "NEAR/", "%", "_", "\\", "a:b", ":*", "<b>&", "{{ 7 }}", "../../etc", "\r\nX: y"),
    *("0-0", "3-999999999999999999999", "2020s", "9999-0000", "0000", "1,2,,x,-5", ",".join(["1"] * 20_000)),
    *("2026-02-30", "9999-12-31T23:59:59.999999+00:00", "0001-01-01T00:00:00+14:00", "2026-01-01T00:00:00"),
    *("2026-01-01T00:00:00+00:00 5", "2026-01-01_1", "titles", "artist", "length", "tracks", "albums", "public"),
    *("next", "now", "editor", "owner", "join", "decline", "all", "days", "on", "add", "playlist", "track", "people"),
)
FIELDS = (
    *("q", "kind", "sort", "genre", "year", "letter", "seed", "after", "before", "since", "from", "limit", "ids", "id"),
    *("down", "deleted", "count", "undo", "new", "key", "hash", "tracks", "albums", "artists", "playlist_id", "queue"),
    *("track_id", "track_ids", "album_id", "entry_ids", "entry_id", "entry_ids", "after_entry_id", "duplicates"),
    *("name", "description", "visibility", "change_id", "place", "start", "username", "role", "on", "answer", "page"),
    *("leaves", "position_ms", "device_id", "is_playing", "is_seek", "repeat", "source", "first_entry_id", "play"),
    *("span", "first_on", "last_on", "shuffle"),
)


def doors(lists: Lists, dice: random.Random) -> Iterator[tuple[str, str]]:
    """(method, address) of every door of the rooms, with ids that are there and ids that aren't."""
    for rule in lists.app.url_map.iter_rules():
        if rule.endpoint.partition(".")[0] not in ROOMS:
            continue
        values: dict[str, object] = {name: dice.choice([1, 1, 1, 2, 3, 0, 2147483647]) for name in rule.arguments}
        values |= {"suffix": dice.choice(["m3u8", "jspf"])} if "suffix" in values else {}
        values |= {"number": dice.choice([0, 1, 2026, 9999])} if "number" in values else {}
        for name in {"token", "slug"} & values.keys():
            values[name] = dice.choice([text for text in NASTY if text and "/" not in text and len(text) < 500])
        with lists.app.test_request_context():
            try:
                address = rule.build(values)
            except BuildError:
                continue
        assert address is not None, rule
        for method in sorted((rule.methods or set()) & {"GET", "POST"}):
            yield method, address[1]


@pytest.mark.parametrize("who", ["alice", "charlie", "stranger"])
def test_no_input_is_an_error_of_ours(lists: Lists, who: str) -> None:
    dice = random.Random(who)
    lists.playlist(1, 2, 3, 1)
    lists.playlist(4, name="Open", visibility="public")
    lists.playlist(5, name="By link", visibility="unlisted")
    browser = lists.app.test_client() if who == "stranger" else lists.browser(getattr(lists, who))
    wrong = []
    for _ in range(ROUNDS):
        for method, address in doors(lists, dice):
            # Every field that any of them reads, so that each door finds its own; one in four is left out.
            sent = MultiDict((name, dice.choice(NASTY)) for name in FIELDS if dice.random() < 0.75)
            headers = {"Accept": dice.choice(["application/json", "text/html"])}
            if dice.random() < 0.3:
                headers["HX-Request"] = "true"
            try:
                if method == "GET":
                    sent = MultiDict((name, text[:400]) for name, text in sent.items(multi=True))
                    answer = browser.get(address, query_string=sent, headers=headers)
                else:
                    answer = browser.post(address, data=sent, headers=headers)
                answer.get_data()
                said = str(answer.status_code) if answer.status_code >= 500 else ""
            except Exception as error:
                said = f"{type(error).__name__}: {str(error)[:300]}"
            if said:
                wrong.append(f"{method} {address} {[(n, t[:60]) for n, t in sent.items(multi=True)]}: {said}")
    assert not wrong, "\n".join(wrong)

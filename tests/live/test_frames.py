from __future__ import annotations

import pytest

from musicapp.live.frames import Partial, heartbeat, message, partial_html, resync
from musicapp.live.log import Cursor
from musicapp.live.registry import Registry, split_topic
from musicapp.live.ring import Frame, Ring
from tests.live.listening import Received, row


def parsed(data: bytes) -> Received:
    received = Received()
    received.feed(data)
    return received


def test_lines_of_html_survive_the_stream() -> None:
    received = parsed(message("<p>one\r\ntwo\rthree\n\nfour</p>", Cursor(5, 1)))
    assert [event.data for event in received.events] == ["<p>one\ntwo\nthree\n\nfour</p>"]
    assert received.last_id == "5-1"


def test_heartbeat_moves_the_cursor_without_an_event() -> None:
    received = parsed(heartbeat(Cursor(7, 0)) + heartbeat(None))
    assert (received.events, received.last_id) == ([], "7-0")


def test_resync_is_an_event_with_a_name_and_a_cursor() -> None:
    received = parsed(resync(Cursor(7, 0)))
    assert (received.names, received.last_id) == (["resync"], "7-0")


def test_appended_element_replaces_the_one_a_replay_brought_before() -> None:
    html = partial_html(Partial.append("tracks", "track-7", '<li id="track-7">x</li>'))
    assert html == (
        '<hx-partial hx-target="#track-7" hx-swap="delete"></hx-partial>'
        '<hx-partial hx-target="#tracks" hx-swap="beforeend"><li id="track-7">x</li></hx-partial>'
    )


def test_selector_is_escaped() -> None:
    assert "&#34;&gt;" in partial_html([Partial('a">', "x")])


@pytest.mark.parametrize(("text", "cursor"), [("5-1", (5, 1)), ("", None), ("5", None), ("-", None), ("5-x", None)])
def test_cursor_is_read_or_refused(text: str, cursor: tuple[int, int] | None) -> None:
    assert Cursor.parse(text) == cursor


def test_cursor_beyond_redis_is_refused() -> None:
    assert Cursor.parse(f"{2**64}-0") is None


def test_topics_are_names_with_a_number_or_without() -> None:
    assert split_topic("album-3") == ("album", 3)
    assert split_topic("home") == ("home", None)


def test_fragment_of_a_topic_goes_before_the_one_for_all() -> None:
    registry = Registry()
    registry.fragment("track")(lambda ref: "public")
    registry.fragment("track", topic="studio")(lambda ref: "editable")
    found = [registry.renderer(topic, "track") for topic in ("album-3", "studio-3")]
    assert [render(1) for render in found if render] == ["public", "editable"]
    assert registry.renderer("home", "nothing") is None


def test_fragment_declared_twice_is_refused() -> None:
    registry = Registry()
    registry.fragment("track")(lambda ref: "one")
    with pytest.raises(ValueError, match="declared twice"):
        registry.fragment("track")(lambda ref: "two")


def frame(number: int, size: int = 1) -> Frame:
    return Frame(row("home", number)._replace(cursor=Cursor(number, 0)), b"x" * size)


def test_ring_is_bounded_by_bytes_and_says_how_far_back_it_reaches() -> None:
    ring = Ring(max_frames=100, max_bytes=1000)
    ring.reset(Cursor(0, 0))
    for number in range(1, 31):
        ring.append(frame(number, size=100))
    assert ring.end - ring.start == 10
    assert ring.after(Cursor(19, 9), frozenset({"home"})) is None
    found = ring.after(Cursor(20, 0), frozenset({"home"}))
    assert found is not None
    assert [f.update.ref for f in found] == list(range(21, 31))

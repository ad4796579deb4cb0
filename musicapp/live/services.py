"""What other rooms say when something changed that an open page may show.

Topics are `home`, `album-3`, `studio-3`, `user-5`: who hears them is declared with registry.topic. Kinds name the
fragment, rendered by the function declared with registry.fragment. Redis carries these names and ids, never HTML.
"""

from __future__ import annotations

from sqlalchemy.orm import Session

from musicapp.core.db import db
from musicapp.live.log import EVERYTHING, POKE, RIGHTS, LiveUpdate
from musicapp.live.publisher import publisher, remember
from musicapp.live.registry import split_topic


def _session() -> Session:
    return db.session()


def note(topic: str, kind: str, id: int) -> None:
    """Says that fragment `kind` number `id` changed for listeners of `topic`: sent after the outermost commit.

    Nothing is sent when the transaction, or the savepoint it was noted in, is rolled back. Redis away: it is kept
    and sent later. Raises ValueError for a topic that can't be one.
    """
    split_topic(topic)
    remember(_session(), LiveUpdate(topic, kind, id))


def poke(topic: str, name: str | None = None) -> None:
    """Sends listeners of `topic` the DOM event `name` (default: `<topic>-changed`) after the commit.

    For what depends on the viewer: the page then fetches its own part. Raises ValueError like `note`.
    """
    split_topic(topic)
    remember(_session(), LiveUpdate(topic, POKE + (name or f"{topic}-changed"), 0))


def publish_now(topic: str, kind: str, id: int, *, unlogged: bool = False) -> None:
    """Sends at once, outside any transaction.

    `unlogged` is for percent: rendered at most four times a second, heard now or never, not replayed. Raises
    ValueError like `note`, and nothing when Redis is away.
    """
    split_topic(topic)
    publisher().send([LiveUpdate(topic, kind, id)], logged=not unlogged)


def rights_changed(user_id: int | None = None, topic: str | None = None) -> None:
    """After the commit, ends the streams of `user_id` (None: of everybody) that hear `topic` (None: anything).

    Their pages connect again, from where they were, and are asked for their rights anew: also for a sign-out, a
    revoked device, an album that became private.
    """
    if topic is not None:
        split_topic(topic)
    remember(_session(), LiveUpdate(topic or EVERYTHING, RIGHTS, user_id or 0))


def current_cursor() -> str:
    """Where the log of live updates ends; "" when Redis is away. Read it before a page's first query.

    A page that puts it into `data-cursor` gets everything that changed while it was rendered or loaded.
    """
    return publisher().cursor()

"""What people chose to hear of, and how. No row means the kind's own default."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, delete, or_, select, update

from musicapp.accounts.models import User
from musicapp.core.db import db, insert_into
from musicapp.notifications.kinds import DAILY, GROUPS, KINDS, MAIL, OFF, WEEKLY, Kind
from musicapp.notifications.models import DigestEntry, Notice, NotificationPreference
from musicapp.notifications.outlets import OUTLETS, Outlet
from musicapp.notifications.readers import frequency
from musicapp.notifications.unsubscribing import ALL, DIGEST
from musicapp.playlists import services as playlists

PLAYLIST_CHANGED = "playlist_changed"


@dataclass(frozen=True, slots=True)
class Choice:
    """One cell of the preferences: what may be chosen and what is."""

    kind: Kind
    outlet: Outlet
    frequencies: tuple[str, ...]
    """Empty: this outlet never tells of this kind."""
    chosen: str

    @property
    def field(self) -> str:
        return f"{self.kind.name}.{self.outlet.name}"


Choices = dict[str, dict[str, Choice]]
"""Kind -> outlet -> choice."""


def choices_of(user_id: int, *, is_artist: bool = True) -> Choices:
    """All that a person may choose, in the order of KINDS and OUTLETS; one statement."""
    rows = db.session.execute(
        select(NotificationPreference.kind, NotificationPreference.outlet, NotificationPreference.frequency).where(
            NotificationPreference.user_id == user_id
        )
    )
    chosen = {(row.kind, row.outlet): row.frequency for row in rows}
    return {
        kind.name: {
            outlet.name: Choice(
                kind, outlet, outlet.choices(kind), chosen.get((kind.name, outlet.name), outlet.default(kind))
            )
            for outlet in OUTLETS.values()
        }
        for kind in KINDS.values()
        if is_artist or not kind.for_artists
    }


def save(user_id: int, wanted: Mapping[tuple[str, str], str]) -> None:
    """Keeps (kind, outlet) -> frequency; what is not named stays. Raises ValueError for what can't be chosen.

    What is off leaves nothing behind for a digest. Changes of playlists are told from now on, not since the beginning.
    """
    before = choices_of(user_id)
    for (kind, outlet), chosen in wanted.items():
        if kind not in before or outlet not in OUTLETS or chosen not in before[kind][outlet].frequencies:
            raise ValueError(f"{kind}.{outlet} can't be {chosen!r}")
    changed = {key: chosen for key, chosen in wanted.items() if before[key[0]][key[1]].chosen != chosen}
    if not changed:
        return
    statement = insert_into(NotificationPreference)
    rows = [
        {"user_id": user_id, "kind": kind, "outlet": outlet, "frequency": chosen}
        for (kind, outlet), chosen in changed.items()
    ]
    keys = ["user_id", "kind", "outlet"]
    db.session.execute(
        statement.values(rows).on_conflict_do_update(
            index_elements=keys, set_={"frequency": statement.excluded.frequency}
        )
    )
    _move_waiting_entries(user_id, changed)
    was_off = all(choice.chosen == OFF for choice in before[PLAYLIST_CHANGED].values())
    if was_off and any(kind == PLAYLIST_CHANGED and chosen != OFF for (kind, _outlet), chosen in changed.items()):
        playlists.begin_digests(user_id)


def _move_waiting_entries(user_id: int, changed: Mapping[tuple[str, str], str]) -> None:
    """What waits for a digest follows the choice: daily became weekly, or off."""
    for (kind, outlet), chosen in changed.items():
        waiting = (DigestEntry.user_id == user_id, DigestEntry.outlet == outlet, DigestEntry.kind == kind)
        if chosen == OFF:
            db.session.execute(delete(DigestEntry).where(*waiting))
        else:
            # "At once" from now on; what waits already comes with the next digest.
            moved = chosen if chosen in (DAILY, WEEKLY) else DAILY
            db.session.execute(update(DigestEntry).where(*waiting).values(frequency=moved))


def unsubscribe(user_id: int, kind: str) -> dict[str, str]:
    """Ends the mails of a kind, of all digests (DIGEST) or of all kinds (ALL); kind -> what was chosen before."""
    before = {name: outlets[MAIL].chosen for name, outlets in choices_of(user_id).items() if outlets[MAIL].frequencies}
    ended = {name: chosen for name, chosen in before.items() if chosen != OFF and _is_meant(name, chosen, kind)}
    save(user_id, {(name, MAIL): OFF for name in ended})
    return ended


def resubscribe(user_id: int, kind: str, before: Mapping[str, str]) -> None:
    """Takes an unsubscribing back: each kind as it was in `before`, or else its default, or what comes first."""
    wanted: dict[tuple[str, str], str] = {}
    for name, outlets in choices_of(user_id).items():
        choice = outlets[MAIL]
        known = before.get(name, "")
        if choice.chosen != OFF or not choice.frequencies or not (known or kind in (name, ALL)):
            continue
        default = choice.outlet.default(choice.kind)
        if known not in choice.frequencies and default == OFF and kind == ALL:
            continue
        on = [one for one in (known, default, *choice.frequencies) if one in choice.frequencies and one != OFF]
        wanted[name, MAIL] = on[0]
    save(user_id, wanted)


def _is_meant(name: str, chosen: str, kind: str) -> bool:
    if kind == DIGEST:
        return chosen in (DAILY, WEEKLY) and DAILY in KINDS[name].choices[MAIL] and WEEKLY in KINDS[name].choices[MAIL]
    return kind in (name, ALL)


def who_wants(kind: str, outlets: Collection[str] = ()) -> Select[Any]:
    """Ids of the users who hear of a kind through one of the outlets (none named: through any)."""
    wanted = [
        frequency(kind, outlet.name, outlet.default(KINDS[kind])) != OFF
        for outlet in OUTLETS.values()
        if outlet.choices(KINDS[kind]) and (not outlets or outlet.name in outlets)
    ]
    return select(User.id).where(User.deleted_at.is_(None), User.suspended_at.is_(None), or_(*wanted))


def forget(user_id: int) -> None:
    """Removes what a closed account chose, and what waits for it."""
    for model in (NotificationPreference, DigestEntry, Notice):
        db.session.execute(delete(model).where(model.user_id == user_id).execution_options(synchronize_session=False))


def gets_mail(user_id: int, kind: str) -> bool:
    """Whether there is anything that an unsubscribing of `kind` (ALL, DIGEST) would end."""
    return any(
        choice.chosen != OFF and _is_meant(name, choice.chosen, kind)
        for name, outlets in choices_of(user_id).items()
        if (choice := outlets[MAIL]).frequencies
    )


@dataclass(frozen=True, slots=True)
class Group:
    """A table of the preferences."""

    name: str
    words: str
    rows: list[dict[str, Choice]]


def grouped(choices: Choices) -> list[Group]:
    """The choices as the page shows them: by group, in the order of the kinds."""
    groups: dict[str, Group] = {}
    for name, outlets in choices.items():
        of_kind = KINDS[name].group
        group = groups.setdefault(of_kind, Group(of_kind, str(GROUPS[of_kind]), []))
        group.rows.append(outlets)
    return list(groups.values())

"""What people type and choose on the pages of playlists, checked."""

from __future__ import annotations

from collections.abc import Mapping

from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from musicapp.catalog.forms import Form
from musicapp.catalog.text import clean_line, clean_text
from musicapp.core.db import row_id
from musicapp.playlists.models import VISIBILITIES
from musicapp.playlists.services.words import DESCRIPTION_LIMIT, NAME_LIMIT

MOST_IDS = 10_000
MOST_PLACE = 1_000_000
INVITED_ROLES = ("editor", "viewer")


def new_name(sent: Mapping[str, str], fallback: str) -> str:
    """The name for a new playlist; a button without a field takes `fallback`."""
    return clean_line(sent.get("name", ""), NAME_LIMIT) or fallback


def playlist_form(sent: Mapping[str, str]) -> Form:
    """Name, description and visibility."""
    form = Form()
    name = clean_line(sent.get("name", ""), NAME_LIMIT + 1)
    description = clean_text(sent.get("description", ""), DESCRIPTION_LIMIT + 1)
    visibility = sent.get("visibility", "private")
    form.values = {"name": name, "description": description, "visibility": visibility}
    if not name:
        form.errors["name"] = _("Give the playlist a name.")
    elif len(name) > NAME_LIMIT:
        form.errors["name"] = _("Please keep the name under %(limit)s characters.", limit=NAME_LIMIT + 1)
    if len(description) > DESCRIPTION_LIMIT:
        form.errors["description"] = _("Please keep this under %(limit)s characters.", limit=DESCRIPTION_LIMIT + 1)
    if visibility not in VISIBILITIES:
        form.errors["visibility"] = _("Choose who may see the playlist.")
    return form


def invite_form(sent: Mapping[str, str]) -> Form:
    """Username and role of somebody to invite."""
    form = Form(values={"username": clean_line(sent.get("username", ""), 100), "role": sent.get("role", "editor")})
    if not form.values["username"]:
        form.errors["username"] = _("Write the username of the person to invite.")
    if form.values["role"] not in INVITED_ROLES:
        form.errors["role"] = _("Choose what they may do.")
    return form


def sent_ids(sent: MultiDict[str, str], name: str) -> list[int]:
    """The ids of a field that comes several times, or once with commas; what can't be an id is left out."""
    words = [word for value in sent.getlist(name) for word in value.split(",")][:MOST_IDS]
    ids = []
    for word in words:
        try:
            ids.append(row_id(word))
        except ValueError:
            continue
    return list(dict.fromkeys(ids))


def sent_id(sent: Mapping[str, str], name: str) -> int | None:
    """One id, None where there is none."""
    try:
        return row_id(sent.get(name, ""))
    except ValueError:
        return None

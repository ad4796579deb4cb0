"""The doors of this room, one file per subject, on one blueprint."""

from musicapp.accounts.routes import leaving, links, people, settings, sign_in
from musicapp.accounts.routes._blueprint import blueprint

__all__ = ["blueprint", "leaving", "links", "people", "settings", "sign_in"]

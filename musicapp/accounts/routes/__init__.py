"""The doors of this room, one file per subject, on one blueprint."""

from musicapp.accounts.routes import links, people, sign_in
from musicapp.accounts.routes._blueprint import blueprint

__all__ = ["blueprint", "links", "people", "sign_in"]

"""Doors of the notifications: notices, preferences, links that unsubscribe."""

from musicapp.notifications.routes import notices, preferences, unsubscribe
from musicapp.notifications.routes._blueprint import blueprint

__all__ = ["blueprint", "notices", "preferences", "unsubscribe"]

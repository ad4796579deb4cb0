"""Ways to reach people. To add one: a file beside this, and its line in OUTLETS; preferences and tellings follow."""

from __future__ import annotations

from musicapp.notifications.outlets._outlet import Outlet, Telling
from musicapp.notifications.outlets.mail import MailOutlet
from musicapp.notifications.outlets.page import PageOutlet

OUTLETS: dict[str, Outlet] = {outlet.name: outlet for outlet in (PageOutlet(), MailOutlet())}
"""In the order in which they tell, and in which the preferences show them."""

__all__ = ["OUTLETS", "Outlet", "Telling"]

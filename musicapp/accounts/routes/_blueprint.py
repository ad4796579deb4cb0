"""The blueprint, and what several of its files need from a request."""

from __future__ import annotations

import re

from flask import Blueprint, request

from musicapp.core.db import db, reading

blueprint = Blueprint("accounts", "musicapp.accounts", template_folder="templates")

_BROWSERS = (("Edg", "Edge"), ("OPR", "Opera"), ("Firefox", "Firefox"), ("Chrome", "Chrome"), ("Safari", "Safari"))
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Macintosh", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)


def describe_device(user_agent: str) -> str:
    """ "Firefox on Linux": enough for somebody to know their own devices by."""
    browser = next((name for mark, name in _BROWSERS if mark in user_agent), "")
    system = next((name for mark, name in _SYSTEMS if mark in user_agent), "")
    if browser and system:
        return f"{browser} on {system}"
    program = re.match(r"[\w .-]{1,60}", user_agent)
    return browser or system or (program.group().strip() if program else "") or "Unknown device"


def this_device() -> dict[str, str]:
    """Keyword arguments for services.open_session."""
    return {
        "device": describe_device(request.user_agent.string),
        "ip_address": request.remote_addr or "",
    }


def end_reading() -> None:
    """Ends a transaction that has only read, so that a password can be hashed with none open."""
    db.session.rollback()


__all__ = ["blueprint", "describe_device", "end_reading", "reading", "this_device"]

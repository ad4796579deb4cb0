"""The blueprint, and what several of its files need from a request."""

from __future__ import annotations

from flask import Blueprint, request

from musicapp.accounts.devices import describe_device
from musicapp.core.db import db, reading

blueprint = Blueprint("accounts", "musicapp.accounts", template_folder="templates")


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

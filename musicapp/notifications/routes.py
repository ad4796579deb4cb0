"""No addresses yet: the blueprint brings the templates of this room's mails."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("notifications", __name__, template_folder="templates")

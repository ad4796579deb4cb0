"""The pages of a library."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("library", __name__, template_folder="templates")

"""The room's blueprint; the modules beside it hang their views on it."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("uploads", "musicapp.uploads", template_folder="templates")

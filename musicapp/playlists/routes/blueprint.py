from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("playlists", "musicapp.playlists", template_folder="templates")

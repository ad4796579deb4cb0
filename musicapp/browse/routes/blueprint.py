from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("browse", "musicapp.browse", template_folder="templates")

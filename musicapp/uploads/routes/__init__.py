"""Files come in by tus or by a plain form; members look after them in the studio."""

from musicapp.uploads.routes import form, studio
from musicapp.uploads.routes.blueprint import blueprint
from musicapp.uploads.routes.protocol import protocol

blueprint.register_blueprint(protocol)

__all__ = ["blueprint", "form", "studio"]

"""Views of the desk: who gets in, and how a page is drawn beside the desk's navigation."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from flask import Response, abort

from musicapp.accounts.identity import current_viewer
from musicapp.core.pages import page
from musicapp.core.security import hidden
from musicapp.ops.acts import ACTS
from musicapp.ops.navigation import groups, links

View = TypeVar("View", bound=Callable[..., Any])


def admin_only(view: View) -> View:
    """For admins; to everybody else, strangers too, the address does not exist (404).

    Stands below the line of the route: `@blueprint.get("/admin/users")`, then `@admin_only`.
    """

    @wraps(view)
    def only_for_admins(*args: Any, **kwargs: Any) -> Any:
        if not current_viewer().is_admin:
            abort(404)
        return view(*args, **kwargs)

    return hidden(cast(View, only_for_admins))


def admin_page(template: str, status: int = 200, **context: Any) -> Response:
    """core.pages.page for a template that says `{% extends "ops/desk_layout.html" %}` and fills the block `desk`."""
    return page(template, status, desk_nav=groups(), desk_links=links(), acts=ACTS, **context)

"""What the catalog refuses, in words for the person who asked."""

from __future__ import annotations


class CatalogError(Exception):
    """Something can't be done; str() says why and what to do."""


class NotPublishableError(CatalogError):
    """An album can't be published yet."""


class MembershipError(CatalogError):
    """A member can't be added or removed."""


class AlbumGoneError(CatalogError):
    """The album was deleted while work for it was under way."""

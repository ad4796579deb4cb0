"""Tokens: random ones for devices and invitations (only hashes are stored), signed ones for links in mails."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from typing import Any

from flask import current_app
from itsdangerous import BadData, URLSafeTimedSerializer

CONFIRM_SECONDS = 7 * 24 * 3600
RESET_SECONDS = 2 * 3600


def new_token() -> str:
    return secrets.token_urlsafe(32)


def hash_token(token: str) -> str:
    """What stands in the database. Plain SHA-256 will do: the token is random, not chosen."""
    return hashlib.sha256(token.encode()).hexdigest()


def make_confirm_token(user_id: int, email: str) -> str:
    """For /confirm/<token>. Good for this one address."""
    return _signer("accounts/confirm").dumps([user_id, email])


def read_confirm_token(token: str) -> tuple[int, str] | None:
    """(user id, address), or None for a token that is forged, cut off or older than CONFIRM_SECONDS."""
    match _read("accounts/confirm", token, CONFIRM_SECONDS):
        case [int(user_id), str(email)]:
            return user_id, email
    return None


def make_reset_token(user_id: int, password_hash: str) -> str:
    """For /reset/<token>. Good until the password changes."""
    return _signer("accounts/reset").dumps([user_id, _fingerprint(password_hash)])


def read_reset_token(token: str) -> tuple[int, str] | None:
    """(user id, fingerprint for `fits_password_hash`), or None."""
    match _read("accounts/reset", token, RESET_SECONDS):
        case [int(user_id), str(fingerprint)]:
            return user_id, fingerprint
    return None


def fits_password_hash(fingerprint: str, password_hash: str) -> bool:
    return hmac.compare_digest(fingerprint, _fingerprint(password_hash))


def _fingerprint(password_hash: str) -> str:
    key = str(current_app.config["SECRET_KEY"]).encode()
    return hmac.new(key, password_hash.encode(), hashlib.sha256).hexdigest()[:24]


def _signer(salt: str) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(current_app.config["SECRET_KEY"], salt=salt)


def _read(salt: str, token: str, max_age_seconds: int) -> Any:
    try:
        return _signer(salt).loads(token, max_age=max_age_seconds)
    except BadData:
        return None

"""What people type into account forms, and what is wrong with it, in words that say what to do."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from zoneinfo import available_timezones

from email_validator import SPECIAL_USE_DOMAIN_NAMES, EmailNotValidError, validate_email
from flask_babel import gettext as _

from musicapp.accounts.passwords import LONGEST, SHORTEST, password_problem

Errors = dict[str, str]

# The library's documented switch. A house of its own has addresses such as x@nas.local and x@mail.home.arpa; whether
# mail arrives is shown by the confirmation.
SPECIAL_USE_DOMAIN_NAMES[:] = ["invalid", "onion"]

_USERNAME = re.compile(r"\w[\w.-]{0,38}\w")


def read_line(form: Mapping[str, str], name: str) -> str:
    """One line of text: composed, without control characters, and without blanks at its ends."""
    text = unicodedata.normalize("NFC", form.get(name, ""))
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())


def read_email(form: Mapping[str, str], name: str, errors: Errors) -> str:
    """An address in the form it is stored in; errors[name] is set for one that can't be used."""
    raw = read_line(form, name)
    if not raw:
        errors[name] = _("Write your e-mail address.")
        return raw
    try:
        found = validate_email(
            raw, check_deliverability=False, allow_smtputf8=False, globally_deliverable=False, strict=True
        )
    except EmailNotValidError as error:
        errors[name] = _("This is no e-mail address that we can use: %(reason)s", reason=str(error))
        return raw
    return (found.ascii_email or found.normalized).lower()


def check_new_password(password: str, errors: Errors, *, key: str = "password", names: tuple[str, ...] = ()) -> None:
    words = {
        "short": _("Use at least %(count)s characters.", count=SHORTEST),
        "long": _("Use at most %(count)s characters.", count=LONGEST),
        "common": _("This one is among the first that others would try. Take a few words instead."),
        "name": _("The password is your name or address. Take a few words instead."),
    }
    if problem := password_problem(password, names=names):
        errors[key] = words[problem]


@dataclass(slots=True)
class RegisterForm:
    username: str = ""
    email: str = ""
    password: str = field(default="", repr=False)
    is_musician: bool = False
    artist_name: str = ""
    invitation: str = field(default="", repr=False)
    errors: Errors = field(default_factory=dict)

    @classmethod
    def read(cls, form: Mapping[str, str]) -> RegisterForm:
        read = cls(
            username=unicodedata.normalize("NFKC", read_line(form, "username")),
            password=form.get("password", ""),
            is_musician="is_musician" in form,
            artist_name=read_line(form, "artist_name"),
            invitation=form.get("invitation", ""),
        )
        if not _USERNAME.fullmatch(read.username):
            read.errors["username"] = _(
                "Use 2 to 40 letters and digits; dots, hyphens and underscores may stand between them."
            )
        read.email = read_email(form, "email", read.errors)
        check_new_password(read.password, read.errors, names=(read.username, read.email))
        if read.is_musician and not read.artist_name:
            read.errors["artist_name"] = _("Which name do you publish under?")
        elif len(read.artist_name) > 200:
            read.errors["artist_name"] = _("Use at most %(count)s characters.", count=200)
        return read

    def say_taken(self, fields: set[str]) -> None:
        if "username" in fields:
            self.errors["username"] = _("This username is taken. Try another one.")
        if "email" in fields:
            self.errors["email"] = _("There is an account with this address. Log in, or ask for a new password.")


@dataclass(slots=True)
class SignInForm:
    username: str = ""
    password: str = field(default="", repr=False)
    errors: Errors = field(default_factory=dict)

    @classmethod
    def read(cls, form: Mapping[str, str]) -> SignInForm:
        read = cls(username=read_line(form, "username")[:254], password=form.get("password", ""))
        if not read.username:
            read.errors["username"] = _("Write your username or e-mail address.")
        if not read.password:
            read.errors["password"] = _("Write your password.")
        return read


@dataclass(slots=True)
class ProfileForm:
    display_name: str = ""
    bio: str = ""
    time_zone: str = "UTC"
    locale: str = "en"
    errors: Errors = field(default_factory=dict)

    @staticmethod
    def time_zones() -> set[str]:
        """Names that people know: without aliases such as "Etc/GMT+5" or "posixrules"."""
        return {name for name in available_timezones() if "/" in name and not name.startswith("Etc/")} | {"UTC"}

    @classmethod
    def read(cls, form: Mapping[str, str], locales: list[str]) -> ProfileForm:
        read = cls(
            display_name=read_line(form, "display_name"),
            bio=unicodedata.normalize("NFC", form.get("bio", "")).replace("\r\n", "\n").replace("\0", "").strip(),
            time_zone=form.get("time_zone", "UTC"),
            locale=form.get("locale", "en"),
        )
        if not 1 <= len(read.display_name) <= 120:
            read.errors["display_name"] = _("Use 1 to 120 characters.")
        if len(read.bio) > 5000:
            read.errors["bio"] = _("Use at most %(count)s characters.", count=5000)
        if read.time_zone not in cls.time_zones():
            read.errors["time_zone"] = _("Choose a time zone from the list.")
        if read.locale not in locales:
            read.errors["locale"] = _("Choose a language from the list.")
        return read

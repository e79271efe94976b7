"""Remembers browsers that have signed in, so that others' wrong passwords don't lock them out.

A signed cookie holds the user and a number for this browser. Its sign-in attempts are counted under
that number. The cookie grants no access and isn't a second factor. It is valid for one password:
people who knew an earlier one get no attempts of their own.
"""

import secrets
from typing import Any, Final

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponseBase

from organizations.models import User

_SALT: Final = "organizations.known_devices"
#: Seconds since the last sign-in.
_YEAR: Final = 365 * 24 * 60 * 60
#: Hexadecimal digits of a keyed digest of a password's hash, enough to distinguish passwords.
_STAMP_LENGTH: Final = 16
#: Users remembered per browser. The one with the oldest sign-in is dropped.
_MOST: Final = 5
#: Session key for a user whose mailed link was opened, which counts like a sign-in.
_PROVED: Final = "mailbox_proved"


def remember(request: HttpRequest, response: HttpResponseBase, user: User) -> None:
    """Sets the cookie after a sign-in."""
    known = _known(request)
    number, _ = known.pop(str(user.pk), (None, None))
    entry = (number or _new_number(), _stamps(user)[0])
    kept = dict([*known.items(), (str(user.pk), entry)][-_MOST:])
    response.set_cookie(
        _cookie(),
        signing.dumps(kept, salt=_SALT),
        max_age=_YEAR,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def remember_mailbox(request: HttpRequest, user: User) -> None:
    """Remembers that this user opened a mailed link. A sign-in follows."""
    request.session[_PROVED] = [str(user.pk), [_new_number(), _stamps(user)[0]]]


def number_of(request: HttpRequest, email: str) -> str | None:
    """The number of this browser if it knows the user with this email address."""
    known = _known(request)
    proved_id, proved = request.session.get(_PROVED, (None, None))
    if not known and proved is None:
        return None
    person = User.objects.owner_of(email)
    if person is None:
        return None
    entries = [known.get(str(person.pk)), proved if proved_id == str(person.pk) else None]
    stamps = _stamps(person)
    return next((entry[0] for entry in entries if entry and entry[1] in stamps), None)


def _new_number() -> str:
    return secrets.token_urlsafe(12)


def _stamps(user: User) -> list[str]:
    """Digests that identify a password, under the current `SECRET_KEY` and then the fallbacks."""
    digests = [user.get_session_auth_hash(), *user.get_session_auth_fallback_hash()]
    return [digest[:_STAMP_LENGTH] for digest in digests]


def _known(request: HttpRequest) -> dict[str, Any]:
    """The cookie's users with this browser's numbers. Empty if the signature is invalid."""
    try:
        known: dict[str, Any] = signing.loads(
            request.COOKIES.get(_cookie(), ""), salt=_SALT, max_age=_YEAR
        )
    except signing.BadSignature:
        return {}
    # Earlier versions stored only the number.
    return {person: entry for person, entry in known.items() if isinstance(entry, list)}


def _cookie() -> str:
    return "__Host-device" if settings.SESSION_COOKIE_SECURE else "device"

"""Browsers in which somebody has signed in before: wrong passwords from elsewhere don't stop them.

A signed cookie names the person and a number for this browser, by which its own attempts are
counted. It opens nothing and is no factor. It is for one password: whoever knew an earlier one has
no attempts of their own.
"""

import secrets
from typing import Any, Final

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponseBase

from organizations.models import User

_SALT: Final = "organizations.known_devices"
#: From the last sign-in.
_YEAR: Final = 365 * 24 * 60 * 60
#: Hexadecimal digits of a keyed digest of a password's hash; enough to tell passwords apart.
_STAMP_LENGTH: Final = 16
#: People who share a browser; the one who signed in the longest ago makes room.
_MOST: Final = 5
#: Where a session keeps whose mailed link was used in it, which is as good as a sign-in.
_PROVED: Final = "mailbox_proved"


def remember(request: HttpRequest, response: HttpResponseBase, user: User) -> None:
    """Lets the browser know that this person has signed in."""
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
    """A link that was mailed to this person has led here, to be followed by a sign-in."""
    request.session[_PROVED] = [str(user.pk), [_new_number(), _stamps(user)[0]]]


def number_of(request: HttpRequest, email: str) -> str | None:
    """The number of this browser where the person with `email` is known in it."""
    known = _known(request)
    proved_id, proved = request.session.get(_PROVED, (None, None))
    if not known and proved is None:
        return None
    person = User.objects.behind(email)
    if person is None:
        return None
    entries = [known.get(str(person.pk)), proved if proved_id == str(person.pk) else None]
    stamps = _stamps(person)
    return next((entry[0] for entry in entries if entry and entry[1] in stamps), None)


def _new_number() -> str:
    return secrets.token_urlsafe(12)


def _stamps(user: User) -> list[str]:
    """What a password is known by, under the current `SECRET_KEY` and then the earlier ones."""
    digests = [user.get_session_auth_hash(), *user.get_session_auth_fallback_hash()]
    return [digest[:_STAMP_LENGTH] for digest in digests]


def _known(request: HttpRequest) -> dict[str, Any]:
    """The people of the cookie, each with this browser's number; nobody for one that is forged."""
    try:
        known: dict[str, Any] = signing.loads(
            request.COOKIES.get(_cookie(), ""), salt=_SALT, max_age=_YEAR
        )
    except signing.BadSignature:
        return {}
    # Earlier ones had the number alone.
    return {person: entry for person, entry in known.items() if isinstance(entry, list)}


def _cookie() -> str:
    return "__Host-device" if settings.SESSION_COOKIE_SECURE else "device"

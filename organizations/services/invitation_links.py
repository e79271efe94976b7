"""Links to invitations: the id and the nonce, signed. They are mailed and never stored."""

from typing import Final
from uuid import UUID

from django.core.signing import BadSignature, Signer

from core import ids
from core.exceptions import NotFound
from organizations.models import Invitation

NO_ID: Final = UUID(int=0)
#: Where a visitor's session keeps the link of an invitation while they sign in or up.
INVITATION_KEY: Final = "invitation"


def _signer() -> Signer:
    return Signer(sep=".", salt="organizations.invitation")


def token_of(invitation: Invitation) -> str:
    """What the link of an invitation ends with."""
    return _signer().sign(f"{invitation.public_id}.{invitation.nonce}")


def invitation_behind(token: str) -> Invitation:
    """The invitation of a link, in whatever state; NotFound for old and invented links.

    Nobody needs to be signed in for this: who has the link may see what it is about.
    """
    dead = NotFound("This link does not work. If you got a newer e-mail, use the link in that one.")
    try:
        public_id, _, nonce = _signer().unsign(token).partition(".")
    except BadSignature:
        raise dead from None
    pk = ids.read_id("inv", public_id) or NO_ID
    found = Invitation.objects.filter(pk=pk, nonce=nonce)
    invitation = found.select_related("organization", "invited_by").first()
    if invitation is None:
        raise dead
    return invitation

"""Links to invitations: signed ID and nonce. They are emailed and never stored."""

from typing import Final
from uuid import UUID

from django.core.signing import BadSignature, Signer

from core import ids
from core.exceptions import NotFound
from organizations.models import Invitation

NO_ID: Final = UUID(int=0)
#: Session key for an invitation's token while its visitor signs in or up.
INVITATION_KEY: Final = "invitation"


def _signer() -> Signer:
    return Signer(sep=".", salt="organizations.invitation")


def token_of(invitation: Invitation) -> str:
    """The token at the end of an invitation's link."""
    return _signer().sign(f"{invitation.public_id}.{invitation.nonce}")


def invitation_from_token(token: str) -> Invitation:
    """The invitation of a token, in any state. NotFound for old and forged tokens.

    Needs no sign-in: the holder of the link may see what it is for.
    """
    dead = NotFound("This link doesn't work. If you got a newer email, use the link in that one.")
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

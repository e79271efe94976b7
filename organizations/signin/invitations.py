"""The invitation that a visitor has opened."""

from django.contrib import messages
from django.http import HttpRequest

from core.exceptions import Conflict, NotFound
from organizations.models import Invitation, Organization
from organizations.roles import Role
from organizations.services.invitation_links import INVITATION_KEY, invitation_behind
from organizations.services.invitations import require_open


def invitation_of(request: HttpRequest) -> Invitation | None:
    """The invitation whose link this browser has opened, while it can be accepted."""
    token = request.session.get(INVITATION_KEY)
    if token is None:
        return None
    try:
        invitation = invitation_behind(token)
        require_open(invitation)
    except (Conflict, NotFound):
        return None
    return invitation


def say_joined(request: HttpRequest, organization: Organization, role: str) -> None:
    """Says on the next page what the person has become a part of, and as what."""
    part = "an admin" if role == Role.ADMIN else "a member"
    messages.success(request, f"You joined {organization} as {part}.")

"""The invitation that a visitor has opened."""

from django.contrib import messages
from django.http import HttpRequest

from core.exceptions import Conflict, NotFound
from organizations.models import Invitation, Organization
from organizations.roles import Role
from organizations.services.invitation_links import INVITATION_KEY, invitation_from_token
from organizations.services.invitations import require_open


def invitation_of(request: HttpRequest) -> Invitation | None:
    """The invitation whose link this browser opened, if it can still be accepted."""
    token = request.session.get(INVITATION_KEY)
    if token is None:
        return None
    try:
        invitation = invitation_from_token(token)
        require_open(invitation)
    except (Conflict, NotFound):
        return None
    return invitation


def add_joined_message(request: HttpRequest, organization: Organization, role: str) -> None:
    """Shows which organization the user joined and in which role."""
    part = "an admin" if role == Role.ADMIN else "a member"
    messages.success(request, f"You joined {organization} as {part}.")

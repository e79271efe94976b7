"""The invitation that a visitor has opened."""

from django.http import HttpRequest

from core.exceptions import Conflict, NotFound
from organizations.models import Invitation
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

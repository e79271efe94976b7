"""Context processor for pages outside organizations: the account pages, sign-in and 404."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from organizations.models import Membership, Organization
from organizations.pages.base import last_visited, memberships_of, start_url


@dataclass(frozen=True, slots=True)
class AccountFrame:
    """The organizations of the signed-in user, and the way back to the last visited one."""

    memberships: list[Membership]
    membership: Membership | None

    @property
    def organization(self) -> Organization | None:
        return self.membership.organization if self.membership else None

    @property
    def home(self) -> str:
        """The start page of the last visited organization, `/` if there is none."""
        return start_url(self.membership) if self.membership else "/"


def account_frame(request: HttpRequest) -> dict[str, Any]:
    """`account_frame`, which is queried only by the templates that show it."""
    return {"account_frame": SimpleLazyObject(lambda: frame_of(request))}


def frame_of(request: HttpRequest) -> AccountFrame:
    """The frame of the signed-in user."""
    memberships = memberships_of(request)
    return AccountFrame(memberships, last_visited(request, memberships))

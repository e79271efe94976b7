"""Removing a person, which begins with the keys that they know."""

from typing import Final
from uuid import UUID

from django.http import HttpRequest, HttpResponse

from apikeys.models import ApiKey
from apikeys.views.configuration import row
from organizations import services
from organizations.exceptions import Conflict, DomainError
from organizations.models import Membership
from organizations.roles import Action
from organizations.views.members import PeoplePage

_SHOWN: Final = 50


class RemoveMember(PeoplePage):
    """Lists the keys that the person made, then removes the person; the keys stay."""

    action = Action.MANAGE_MEMBERS

    def get(self, request: HttpRequest, member_id: UUID) -> HttpResponse:
        """What to look at first."""
        return self._show(self.find_member(member_id))

    def post(self, request: HttpRequest, member_id: UUID) -> HttpResponse:
        """Removes, from the next request on."""
        member = self.find_member(member_id)
        try:
            services.remove_member(member, actor=self.actor)
        except Conflict as refusal:
            return self._show(member, status=409, refusal=refusal)
        return self.done(
            f"{member.user} removed. The keys that they made go on working.", self.home
        )

    def _show(
        self, member: Membership, status: int = 200, refusal: DomainError | None = None
    ) -> HttpResponse:
        keys = ApiKey.objects.visible_to(self.actor).for_organization(self.organization.id)
        made = keys.live().filter(created_by_id=member.user_id).for_display().order_by("-id")
        rows = [row(key) for key in made[: _SHOWN + 1]]
        context = {
            "member": member,
            "rows": rows[:_SHOWN],
            "more": len(rows) > _SHOWN,
            "refusal": refusal,
        }
        return self.render("apikeys/remove_member.html", context, status=status)

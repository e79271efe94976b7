"""Removes a member, after showing the keys they created and the people they invited."""

from typing import Final
from uuid import UUID

from django.http import HttpRequest, HttpResponse

from apikeys.models import ApiKey, ApiKeyQuerySet
from apikeys.pages.keys.key_list import key_row
from core.exceptions import Conflict, DomainError
from organizations import services
from organizations.models import Invitation, Membership
from organizations.pages.members import PeoplePage, revoked_invitations
from organizations.roles import Action

_SHOWN: Final = 50


class RemoveMember(PeoplePage):
    """The member's keys stay. Their open invitations are revoked."""

    action = Action.MANAGE_MEMBERS

    def get(self, request: HttpRequest, member_id: UUID) -> HttpResponse:
        return self._show(self.find_member(member_id))

    def post(self, request: HttpRequest, member_id: UUID) -> HttpResponse:
        member = self.find_member(member_id)
        confirmation = self.confirmed()
        if confirmation:
            return confirmation
        try:
            revoked = services.remove_member(member, actor=self.actor)
        except Conflict as refusal:
            return self._show(member, status=409, refusal=refusal)
        message = f"{member.user} removed."
        if self._created_by(member).exists():
            message += " The keys they created were not changed."
        return self.done(message + revoked_invitations(revoked), self.home)

    def _show(
        self, member: Membership, status: int = 200, refusal: DomainError | None = None
    ) -> HttpResponse:
        keys = self._created_by(member).for_display().order_by("-id")
        rows = [key_row(key) for key in keys[: _SHOWN + 1]]
        context = {
            "member": member,
            "rows": rows[:_SHOWN],
            "more": len(rows) > _SHOWN,
            "invitations": self.sent_by(member.user_id),
            "joined": self._joined_through(member),
            "refusal": refusal,
        }
        return self.render("apikeys/remove_member.html", context, status=status)

    def _created_by(self, member: Membership) -> ApiKeyQuerySet:
        """Keys that the member created, without deleted ones."""
        keys = ApiKey.objects.visible_to(self.actor).for_organization(self.organization.id)
        return keys.unrevoked().filter(created_by_id=member.user_id)

    def _joined_through(self, member: Membership) -> list[Membership]:
        """Members who joined by this member's invitations; some may belong to the same person."""
        organization_id = self.organization.id
        sent = Invitation.objects.visible_to(self.actor).for_organization(organization_id)
        accepted = sent.accepted().sent_by(member.user_id)
        members = Membership.objects.visible_to(self.actor).for_organization(organization_id)
        joined = members.filter(user__email__in=accepted.values("email")).exclude(pk=member.pk)
        return list(joined.select_related("user").order_by("user__email")[:_SHOWN])

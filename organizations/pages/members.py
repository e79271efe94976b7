"""Pages about members and invitations."""

from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from django import forms
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone

from core.exceptions import Conflict, DomainError, Invalid, NotFound
from core.forms import TextField, show_refusal
from core.text import EMAIL_LENGTH
from organizations import services
from organizations.models import Invitation, Membership
from organizations.pages import member_list
from organizations.pages.member_list import MemberFilter
from organizations.pages.step_up import StepUpPage
from organizations.roles import Action, Role
from organizations.site_url import site_link

_ROLES = [(Role.MEMBER, "Member"), (Role.ADMIN, "Admin")]
#: Invitations that expire before then are shown as such.
_SOON: Final = timedelta(days=2)


class InviteForm(forms.Form):
    email = TextField(
        label="Email address",
        max_length=EMAIL_LENGTH,
        error_messages={"required": "Enter an email address like name@example.com."},
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
    )
    role = forms.ChoiceField(
        choices=_ROLES,
        initial=Role.MEMBER,
        help_text="Admins manage API keys and members. Members can only view templates.",
    )


class PeoplePage(StepUpPage):
    """Base of the pages about members."""

    section = "members"

    @property
    def home(self) -> str:
        """The URL of the member list, with the filter that the request names."""
        address = reverse("organizations:members", args=[self.organization.slug])
        return f"{address}{MemberFilter.from_query(self.request.GET).here}"

    def find_member(self, member_id: UUID) -> Membership:
        """A membership of this organization, or NotFound."""
        found = Membership.objects.visible_to(self.actor).for_organization(self.organization.id)
        member = found.select_related("user", "organization").filter(pk=member_id).first()
        if member is None:
            raise NotFound
        return member

    def sent_by(self, person_id: UUID) -> list[Invitation]:
        """The open invitations of this organization that a person has sent."""
        sent = Invitation.objects.visible_to(self.actor).for_organization(self.organization.id)
        return list(sent.open().sent_by(person_id).order_by("email"))

    def link(self, token: str) -> str:
        """The URL to accept an invitation."""
        return site_link(self.request, reverse("organizations:accept", args=[token]))

    def show_list(self, status: int = 200, refusal: DomainError | None = None) -> HttpResponse:
        """A page of the people by name, and the open invitations."""
        wanted = MemberFilter.from_query(self.request.GET)
        members = Membership.objects.visible_to(self.actor).for_organization(self.organization.id)
        invitations = None
        if self.is_admin:
            sent = Invitation.objects.visible_to(self.actor).for_organization(self.organization.id)
            invitations = wanted.invitations_of(sent)
        context: dict[str, Any] = {
            "filter": wanted,
            "page": wanted.page_of(members),
            "invitations": invitations,
            "roles": _ROLES,
            "role_filter": member_list.ROLES.items(),
            "factor_filter": member_list.FACTORS.items(),
            "may_leave": services.may_leave(self.membership),
            "refusal": refusal,
            "soon": timezone.now() + _SOON,
        }
        return self.render("organizations/members.html", context, status=status)


class Members(PeoplePage):
    """The member list."""

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.show_list()


class Invite(PeoplePage):
    """Invites someone by email."""

    action = Action.MANAGE_MEMBERS

    def get(self, request: HttpRequest) -> HttpResponse:
        return self._show(InviteForm())

    def post(self, request: HttpRequest) -> HttpResponse:
        form = InviteForm(request.POST)
        if not form.is_valid():
            return self._show(form, status=422)
        confirmation = self.confirmed()
        if confirmation:
            return confirmation
        role = Role(form.cleaned_data["role"])
        email = form.cleaned_data["email"]
        try:
            invitation = services.invite(
                self.organization, email=email, role=role, link=self.link, actor=self.actor
            )
        except (Conflict, Invalid) as refusal:
            show_refusal(form, refusal)
            return self._show(form, status=422)
        return self.done(mailed(invitation), self.home, is_warning=invitation.mail_failed)

    def _show(self, form: InviteForm, status: int = 200) -> HttpResponse:
        context = {"form": form, "to": self.home}
        return self.render("organizations/invite.html", context, status=status)


def mailed(invitation: Invitation) -> str:
    """The message after an invitation was sent, or could not be sent."""
    if invitation.mail_failed:
        return f"The email to {invitation.email} could not be sent. Resend the invitation."
    return f"Invitation sent to {invitation.email}."


def revoked_invitations(number: int, *, own: bool = False) -> str:
    """A sentence about a person's revoked invitations. Empty if there are none."""
    if not number:
        return ""
    return f" Pending invitations {'you' if own else 'they'} sent were revoked ({number})."


class ChangeRole(PeoplePage):
    action = Action.MANAGE_MEMBERS

    def get(self, request: HttpRequest, member_id: UUID) -> HttpResponse:
        # GET happens only after a login redirect: go to the list.
        self.find_member(member_id)
        return HttpResponseRedirect(self.home)

    def post(self, request: HttpRequest, member_id: UUID) -> HttpResponse:
        member = self.find_member(member_id)
        wanted = request.POST.get("role", "")
        if wanted not in list(Role):
            refusal: DomainError = Invalid.field("role", "Choose Member or Admin.")
            return self.show_list(status=422, refusal=refusal)
        confirmation = self.confirmed()
        if confirmation:
            return confirmation
        try:
            changed = services.change_role(member, role=Role(wanted), actor=self.actor)
        except Conflict as conflict:
            return self.show_list(status=409, refusal=conflict)
        own = member.user_id == self.actor.principal_id
        who = "You are" if own else f"{member.user} is"
        message = f"{who} now {'an admin' if wanted == Role.ADMIN else 'a member'}."
        return self.done(
            message + revoked_invitations(changed.invitations_revoked, own=own), self.home
        )


class ChangeInvitation(PeoplePage):
    """Resends or revokes an invitation."""

    action = Action.MANAGE_MEMBERS

    def get(self, request: HttpRequest, invitation_id: UUID) -> HttpResponse:
        # GET happens only after a login redirect: go to the list.
        self._find(invitation_id)
        return HttpResponseRedirect(self.home)

    def post(self, request: HttpRequest, invitation_id: UUID) -> HttpResponse:
        invitation = self._find(invitation_id)
        revoke = request.POST.get("do") == "revoke"
        confirmation = None if revoke else self.confirmed()
        if confirmation:
            return confirmation
        try:
            if revoke:
                invitation = services.revoke_invitation(invitation, actor=self.actor)
                message = f"Invitation of {invitation.email} revoked. Its link no longer works."
            else:
                invitation = services.resend_invitation(
                    invitation, link=self.link, actor=self.actor
                )
                message = mailed(invitation)
        except Conflict as refusal:
            return self.show_list(status=409, refusal=refusal)
        return self.done(message, self.home, is_warning=invitation.mail_failed)

    def _find(self, invitation_id: UUID) -> Invitation:
        found = Invitation.objects.visible_to(self.actor).for_organization(self.organization.id)
        invitation = found.select_related("organization").filter(pk=invitation_id).first()
        if invitation is None:
            raise NotFound
        return invitation


class Leave(PeoplePage):
    """Leaves the organization. The last admin can't."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """Asks for confirmation."""
        return self._show()

    def post(self, request: HttpRequest) -> HttpResponse:
        confirmation = self.confirmed()
        if confirmation:
            return confirmation
        try:
            services.leave_organization(self.organization, actor=self.actor)
        except Conflict as refusal:
            return self._show(status=409, refusal=refusal)
        return self.done(f"You have left {self.organization}.", "/")

    def _show(self, status: int = 200, refusal: DomainError | None = None) -> HttpResponse:
        sent = self.sent_by(self.actor.principal_id)
        may_leave = services.may_leave(self.membership)
        context = {"invitations": sent, "refusal": refusal, "may_leave": may_leave}
        return self.render("organizations/leave.html", context, status=status)

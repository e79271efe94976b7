"""Who belongs to the organization, as what, and who is invited."""

from typing import Any
from uuid import UUID

from django import forms
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone

from core.exceptions import Conflict, DomainError, Invalid, NotFound
from core.forms import TextField, show_refusal
from core.text import EMAIL_LENGTH
from organizations import policy, services
from organizations.models import Invitation, Membership
from organizations.pages.step_up import StepUp
from organizations.roles import Action, Role
from organizations.site_url import site_link

_ROLES = [(Role.MEMBER, "Member"), (Role.ADMIN, "Admin")]


class InviteForm(forms.Form):
    """Whom to invite, and as what; the service has the last word."""

    email = TextField(
        label="E-mail address",
        max_length=EMAIL_LENGTH,
        error_messages={"required": "Enter an e-mail address like name@example.com."},
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
    )
    role = forms.ChoiceField(choices=_ROLES, initial=Role.MEMBER)


class PeoplePage(StepUp):
    """A page about the organization's people."""

    section = "members"

    @property
    def home(self) -> str:
        """The address of the list."""
        return reverse("organizations:members", args=[self.organization.slug])

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
        """The address where an invitation is accepted."""
        return site_link(self.request, reverse("organizations:accept", args=[token]))

    def show_list(
        self, form: InviteForm, status: int = 200, refusal: DomainError | None = None
    ) -> HttpResponse:
        """The people by name, and the open invitations."""
        organization_id = self.organization.id
        members = Membership.objects.visible_to(self.actor).for_organization(organization_id)
        members = members.with_second_factor().select_related("user")
        invitations: list[Invitation] = []
        if self.is_admin:
            sent = Invitation.objects.visible_to(self.actor).for_organization(organization_id)
            invitations = list(sent.open().select_related("invited_by").order_by("email"))
        context: dict[str, Any] = {
            "members": list(members.order_by("user__name", "user__email")),
            "invitations": invitations,
            "form": form,
            "roles": _ROLES,
            "refusal": refusal,
            "now": timezone.now(),
        }
        return self.render("organizations/members.html", context, status=status)


class Members(PeoplePage):
    """The list; admins invite from it."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """Everybody."""
        return self.show_list(InviteForm())

    def post(self, request: HttpRequest) -> HttpResponse:
        """Invites somebody by mail."""
        policy.require(self.actor, Action.MANAGE_MEMBERS, self.organization)
        form = InviteForm(request.POST)
        if not form.is_valid():
            return self.show_list(form, status=422)
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
            return self.show_list(form, status=422)
        return self.done(mailed(invitation), self.home, is_warning=invitation.mail_failed)


def mailed(invitation: Invitation) -> str:
    """What became of an invitation's mail."""
    if invitation.mail_failed:
        return f"The mail to {invitation.email} could not be sent. Send the invitation again."
    return f"Invitation sent to {invitation.email}."


def revoked_invitations(number: int, *, own: bool = False) -> str:
    """What has become of the open invitations that a person had sent; nothing without any."""
    if not number:
        return ""
    return f" Open invitations {'you' if own else 'they'} sent were revoked ({number})."


class ChangeRole(PeoplePage):
    """Makes a member an admin or the other way round."""

    action = Action.MANAGE_MEMBERS

    def get(self, request: HttpRequest, member_id: UUID) -> HttpResponse:
        """Where a sign-in in between has led to."""
        self.find_member(member_id)
        return HttpResponseRedirect(self.home)

    def post(self, request: HttpRequest, member_id: UUID) -> HttpResponse:
        """From the next request on."""
        member = self.find_member(member_id)
        wanted = request.POST.get("role", "")
        if wanted not in list(Role):
            refusal: DomainError = Invalid.field("role", "Choose Member or Admin.")
            return self.show_list(InviteForm(), status=422, refusal=refusal)
        confirmation = self.confirmed()
        if confirmation:
            return confirmation
        try:
            changed = services.change_role(member, role=Role(wanted), actor=self.actor)
        except Conflict as conflict:
            return self.show_list(InviteForm(), status=409, refusal=conflict)
        own = member.user_id == self.actor.principal_id
        who = "You are" if own else f"{member.user} is"
        message = f"{who} now {'an admin' if wanted == Role.ADMIN else 'a member'}."
        return self.done(
            message + revoked_invitations(changed.invitations_revoked, own=own), self.home
        )


class ChangeInvitation(PeoplePage):
    """Sends an invitation again, or revokes it."""

    action = Action.MANAGE_MEMBERS

    def get(self, request: HttpRequest, invitation_id: UUID) -> HttpResponse:
        """Where a sign-in in between has led to."""
        self._find(invitation_id)
        return HttpResponseRedirect(self.home)

    def post(self, request: HttpRequest, invitation_id: UUID) -> HttpResponse:
        """What the pressed button says."""
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
            return self.show_list(InviteForm(), status=409, refusal=refusal)
        return self.done(message, self.home, is_warning=invitation.mail_failed)

    def _find(self, invitation_id: UUID) -> Invitation:
        found = Invitation.objects.visible_to(self.actor).for_organization(self.organization.id)
        invitation = found.select_related("organization").filter(pk=invitation_id).first()
        if invitation is None:
            raise NotFound
        return invitation


class Leave(PeoplePage):
    """Everybody may go, but for the last admin."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """Asks first."""
        return self._show()

    def post(self, request: HttpRequest) -> HttpResponse:
        """Goes."""
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
        context = {"invitations": sent, "refusal": refusal}
        return self.render("organizations/leave.html", context, status=status)

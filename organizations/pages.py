"""What the pages of an organization share: who asks, what they may, how answers are framed."""

from typing import Any, ClassVar, Final

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.generic import View

from organizations import policy
from organizations.actors import Actor
from organizations.exceptions import Forbidden, NotFound
from organizations.models import Membership, Organization, User
from organizations.origin import origin_of
from organizations.roles import Action, Role

DIALOG_HEADER: Final = "X-Dialog"
#: Where a session keeps the slug of the organization that was visited last.
LAST_VISITED: Final = "organization"
_SEE_OTHER: Final = 303


def person_of(request: HttpRequest) -> Actor:
    """The signed-in person as one who acts."""
    user: Any = request.user
    return Actor.person(user.id, str(user), origin_of(request))


class OrganizationPage(View):
    """A page under ``/o/<slug>/``: signed-out visitors sign in, outsiders get 404, others 403.

    `action` is what the visitor must be allowed, whatever the method; `section` and `tab` say which
    entries of the navigation are current.
    """

    action: ClassVar[Action] = Action.VIEW_ORGANIZATION
    section: ClassVar[str] = ""
    tab: ClassVar[str] = ""
    organization: Organization
    membership: Membership
    actor: Actor

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        try:
            self._enter(request, kwargs.pop("slug"))
            policy.require(self.actor, self.action, self.organization)
            response = super().dispatch(request, *args, **kwargs)
        except NotFound as refusal:
            raise Http404 from refusal
        except Forbidden as refusal:
            response = self._refuse(refusal)
        return response

    def _enter(self, request: HttpRequest, slug: str) -> None:
        self.actor = person_of(request)
        membership = (
            Membership.objects.visible_to(self.actor)
            .select_related("organization")
            .filter(organization__slug=slug, user_id=self.actor.principal_id)
            .first()
        )
        if membership is None:
            raise NotFound
        self.membership, self.organization = membership, membership.organization
        if request.session.get(LAST_VISITED) != slug:
            request.session[LAST_VISITED] = slug

    @property
    def is_admin(self) -> bool:
        """Whether the visitor is an admin of the organization."""
        return self.membership.role == Role.ADMIN

    @property
    def in_dialog(self) -> bool:
        """Whether the page is fetched into a dialog of another page."""
        return DIALOG_HEADER in self.request.headers

    def render(
        self, template: str, context: dict[str, Any] | None = None, status: int = 200
    ) -> HttpResponse:
        """The page in the frame of the settings, or by itself for a dialog."""
        layout = "layouts/dialog.html" if self.in_dialog else "layouts/settings.html"
        frame = {
            "layout": layout,
            "in_dialog": self.in_dialog,
            "organization": self.organization,
            "membership": self.membership,
            "is_admin": self.is_admin,
            "section": self.section,
            "tab": self.tab,
            # Asked for where the frame shows it, and not in dialogs.
            "switcher": Membership.objects.visible_to(self.actor)
            .filter(user_id=self.actor.principal_id)
            .select_related("organization")
            .order_by("organization__name"),
        }
        return render(self.request, template, {**frame, **(context or {})}, status=status)

    def done(self, message: str, to: str) -> HttpResponse:
        """After a change: says so on the next page; in a dialog, to the page behind it."""
        if self.in_dialog:
            return self.render("layouts/done.html", {"message": message, "to": to})
        messages.success(self.request, message)
        return HttpResponseRedirect(to, status=_SEE_OTHER)

    def _refuse(self, refusal: Forbidden) -> HttpResponse:
        admins = User.objects.filter(
            memberships__organization=self.organization,
            memberships__role=Role.ADMIN,
            is_active=True,
        )
        context = {
            "reason": refusal.message,
            "admins": admins.order_by("name", "email")[:10],
            "request_id": self.actor.origin.request_id,
        }
        return render(self.request, "403.html", context, status=403)

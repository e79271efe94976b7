"""What the pages of an organization share: who asks, what they may, how answers are framed."""

from http import HTTPStatus
from typing import Any, ClassVar, Final

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.generic import View

from core.actors import Actor
from core.bulkheads import Kind, refusal_of
from core.exceptions import Busy, Forbidden, NotFound
from core.redaction import REDACTED, holds_secret, redact
from core.request_context import request_context_of
from organizations import policy
from organizations.models import Membership, Organization, User
from organizations.roles import Action, Role

DIALOG_HEADER: Final = "X-Dialog"
#: Where a session keeps the slug of the organization that was visited last.
LAST_VISITED: Final = "organization"
_SEE_OTHER: Final = 303


def person_of(request: HttpRequest) -> Actor:
    """The signed-in person as one who acts."""
    user: Any = request.user
    return Actor.person(user.id, str(user), request_context_of(request))


def membership_of(request: HttpRequest) -> Membership | None:
    """The person's, in the organization that was visited last, or in the first by name."""
    actor = person_of(request)
    memberships = Membership.objects.visible_to(actor).filter(user_id=actor.principal_id)
    found = list(memberships.select_related("organization").order_by("organization__name", "id"))
    last = request.session.get(LAST_VISITED)
    return next((m for m in found if m.organization.slug == last), found[0] if found else None)


def with_retry(response: HttpResponse, refusal: Busy) -> HttpResponse:
    """The response as a 429 that says when to try again."""
    response.status_code = HTTPStatus.TOO_MANY_REQUESTS
    response.headers["Retry-After"] = str(refusal.retry_after)
    return response


def _without_secret(request: HttpRequest) -> HttpResponse:
    """To the same page, which then looks for the prefixes of the secrets it was asked for."""
    query = request.GET.copy()
    for name, values in query.lists():
        query.setlist(name, [redact(value).replace(REDACTED, "") for value in values])
    messages.warning(request, "That was a whole secret. Only its prefix was searched for.")
    return HttpResponseRedirect(f"{request.path}?{query.urlencode()}")


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

    def waiting_kind(self, request: HttpRequest) -> Kind | None:
        """The kind of work that answering is, where it may hold its thread for long."""
        return None

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        kind = self.waiting_kind(request)
        full = refusal_of(kind) if kind else None
        if full:  # told without a look at the session
            return self.show_busy(full)
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        if request.method == "GET" and holds_secret(request.META["QUERY_STRING"]):
            return _without_secret(request)
        try:
            self._enter(request, kwargs.pop("slug"))
            policy.require(self.actor, self.action, self.organization)
            response = super().dispatch(request, *args, **kwargs)
        except NotFound as refusal:
            raise Http404 from refusal
        except Forbidden as refusal:
            response = self._refuse(refusal)
        except Busy as refusal:
            response = self.show_busy(refusal)
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
        request.organization = self.organization  # type: ignore[attr-defined]  # for the log
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
        frame = {
            "layout": "layouts/dialog.html" if self.in_dialog else "layouts/settings.html",
            "in_dialog": self.in_dialog,
            "organization": self.organization,
            "membership": self.membership,
            "is_admin": self.is_admin,
            "section": self.section,
            "tab": self.tab,
            "switcher": [] if self.in_dialog else self._memberships(),
        }
        return render(self.request, template, {**frame, **(context or {})}, status=status)

    def _memberships(self) -> list[Membership]:
        """The organizations that the visitor can switch to, by name."""
        own = Membership.objects.visible_to(self.actor).filter(user_id=self.actor.principal_id)
        return list(own.select_related("organization").order_by("organization__name"))

    def done(self, message: str, to: str, *, is_warning: bool = False) -> HttpResponse:
        """After a change: says so on the next page; in a dialog, to the page behind it.

        A warning stays in view: the change was made, and something is left to do.
        """
        if self.in_dialog:
            kind = "warn" if is_warning else "ok"
            return self.render("layouts/done.html", {"message": message, "to": to, "kind": kind})
        level = messages.WARNING if is_warning else messages.SUCCESS
        messages.add_message(self.request, level, message)
        return HttpResponseRedirect(to, status=_SEE_OTHER)

    def show_busy(self, refusal: Busy) -> HttpResponse:
        """429 for what cannot be shown again with the refusal on it."""
        context = {"refusal": refusal, "request_id": request_context_of(self.request).request_id}
        response = render(self.request, "429.html", context, status=429)
        return with_retry(response, refusal)

    def _refuse(self, refusal: Forbidden) -> HttpResponse:
        admins = User.objects.filter(
            memberships__organization=self.organization,
            memberships__role=Role.ADMIN,
            is_active=True,
        )
        context = {
            "reason": refusal.message,
            "admins": list(admins.order_by("name", "email")[:10]),
            "request_id": self.actor.origin.request_id,
        }
        return render(self.request, "403.html", context, status=403)

"""Base of an organization's pages: membership, permission, layout and errors."""

from http import HTTPStatus
from typing import Any, ClassVar, Final

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.generic import View

from core.actors import Actor
from core.bulkheads import Kind, refusal_of
from core.exceptions import Busy, DomainError, Forbidden, NotFound
from core.request_context import request_context_of
from core.revocation_wait import wait_for_earlier
from organizations import policy
from organizations.models import Membership, Organization, User
from organizations.roles import Action, Role

DIALOG_HEADER: Final = "X-Dialog"
#: Session key for the slug of the last visited organization.
LAST_VISITED: Final = "organization"
_SEE_OTHER: Final = 303
_READING: Final = frozenset({"GET", "HEAD", "OPTIONS"})


def person_of(request: HttpRequest) -> Actor:
    """The signed-in user as an actor."""
    user: Any = request.user
    return Actor.person(user.id, str(user), request_context_of(request))


def memberships_of(request: HttpRequest) -> list[Membership]:
    """The signed-in user's memberships, by the organization's name."""
    if not request.user.is_authenticated:
        return []
    actor = person_of(request)
    own = Membership.objects.visible_to(actor).filter(user_id=actor.principal_id)
    return list(own.select_related("organization").order_by("organization__name", "id"))


def last_visited(request: HttpRequest, memberships: list[Membership]) -> Membership | None:
    """The membership in the last visited organization, or else the first."""
    slug = request.session.get(LAST_VISITED)
    first = memberships[0] if memberships else None
    return next((m for m in memberships if m.organization.slug == slug), first)


def membership_of(request: HttpRequest) -> Membership | None:
    """The user's membership in the last visited organization, or in the first by name."""
    return last_visited(request, memberships_of(request))


def start_url(membership: Membership) -> str:
    """Where a member begins: admins at the keys, others at the organization's settings."""
    slug = membership.organization.slug
    if membership.role == Role.ADMIN:
        return f"/o/{slug}/settings/developer/"
    return reverse("organizations:general", args=[slug])


def with_retry(response: HttpResponse, refusal: Busy) -> HttpResponse:
    """Turns the response into a 429 with Retry-After."""
    response.status_code = HTTPStatus.TOO_MANY_REQUESTS
    response.headers["Retry-After"] = str(refusal.retry_after)
    return response


def as_refused(response: HttpResponse, refusal: DomainError) -> HttpResponse:
    """The response, as a 429 if the refusal is only for now."""
    return with_retry(response, refusal) if isinstance(refusal, Busy) else response


class OrganizationPage(View):
    """A page under ``/o/<slug>/``: signed-out visitors sign in, outsiders get 404, others 403.

    `action` is the permission that every method requires. `section` and `tab` are the current
    entries of the navigation.
    """

    action: ClassVar[Action] = Action.VIEW_ORGANIZATION
    section: ClassVar[str] = ""
    tab: ClassVar[str] = ""
    organization: Organization
    membership: Membership
    actor: Actor

    def waiting_kind(self, request: HttpRequest) -> Kind | None:
        """The bulkhead that the request uses if it may hold its thread for long."""
        return None

    def early_refusal(self, request: HttpRequest) -> Busy | None:
        """A refusal that is known before the session is read, so that it costs others little."""
        kind = self.waiting_kind(request)
        return refusal_of(kind) if kind else None

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        early = self.early_refusal(request)
        if early:
            return self.show_busy(early)
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        slug = kwargs.pop("slug")
        try:
            self._enter(request, slug)
            policy.require(self.actor, self.action, self.organization)
            response = self.handle(request, *args, **kwargs)
        except NotFound as refusal:
            response = self._not_found(slug, refusal)
        except Forbidden as refusal:
            response = self._refuse(refusal)
        except Busy as refusal:
            response = self.show_busy(refusal)
        return response

    def handle(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Responds to a person who may use the page."""
        return super().dispatch(request, *args, **kwargs)

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
        return self.membership.role == Role.ADMIN

    @property
    def in_dialog(self) -> bool:
        """Whether the page is loaded into a dialog of another page."""
        return DIALOG_HEADER in self.request.headers

    def render(
        self, template: str, context: dict[str, Any] | None = None, status: int = 200
    ) -> HttpResponse:
        """The page in the settings layout, or without it for a dialog."""
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
        """Confirms a change on the next page. In a dialog, on the page behind it.

        A warning stays visible: the change was made, but something is left to do.
        """
        if self.in_dialog:
            kind = "warn" if is_warning else "ok"
            return self.render("layouts/done.html", {"message": message, "to": to, "kind": kind})
        level = messages.WARNING if is_warning else messages.SUCCESS
        messages.add_message(self.request, level, message)
        return HttpResponseRedirect(to, status=_SEE_OTHER)

    def show_busy(self, refusal: Busy) -> HttpResponse:
        """A short 429 page, whose link repeats a GET. A page in the layout would cost far more."""
        request = self.request
        context = {
            "refusal": refusal,
            "again": request.get_full_path() if request.method == "GET" else "",
            "request_id": request_context_of(request).request_id,
        }
        response = render(self.request, "429.html", context, status=429)
        return with_retry(response, refusal)

    def _not_found(self, slug: str, refusal: NotFound) -> HttpResponse:
        """A 404 that tells the members of a closed organization, and only them, that it is closed.

        Another admin may have closed it while they were at work.
        """
        own = Membership.objects.own_closed(self.actor).select_related("organization")
        closed = own.filter(organization__slug=slug).first()
        if closed is None:
            raise Http404 from refusal
        if self.request.method not in _READING:
            try:
                wait_for_earlier(closed.organization_id)  # the closing may not be in force yet
            except Busy as busy:
                return self.show_busy(busy)
        context = {
            "organization": closed.organization,
            "request_id": self.actor.origin.request_id,
        }
        return render(self.request, "organizations/closed.html", context, status=404)

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
            "layout": "layouts/settings.html",
        }
        return self.render("organizations/no_permission.html", context, status=403)

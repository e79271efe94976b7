"""“Notifications” page, and the links in emails that turn one kind off."""

from typing import Any, cast

from django import forms
from django.contrib import messages
from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views.decorators.csrf import csrf_exempt
from django.views.generic import View

from core.actors import Actor
from core.exceptions import NotFound
from core.request_context import request_context_of
from organizations import services
from organizations.email_kinds import every_kind
from organizations.models import User
from organizations.pages.base import person_of

_SEE_OTHER = 303


class EmailForm(forms.Form):
    """The kinds of emails that a person wants."""

    kinds = forms.MultipleChoiceField(
        required=False,
        label="Email me when",
        choices=lambda: [(kind.name, kind.label) for kind in every_kind()],
        widget=forms.CheckboxSelectMultiple,
        error_messages={"invalid_choice": "Choose from the list."},
    )


class EmailSettings(LoginRequiredMixin, View):
    def get(self, request: HttpRequest) -> HttpResponse:
        return self._show(request)

    def post(self, request: HttpRequest) -> HttpResponse:
        """Saves the kinds that are checked."""
        form = EmailForm(request.POST)
        if not form.is_valid():
            return self._show(request, form, status=422)
        user = cast(User, request.user)
        services.choose_emails(user, kinds=form.cleaned_data["kinds"], actor=person_of(request))
        messages.success(request, "Changes saved.")
        return HttpResponseRedirect(reverse("notifications"), status=_SEE_OTHER)

    @staticmethod
    def _show(request: HttpRequest, form: Any = None, status: int = 200) -> HttpResponse:
        muted = cast(User, request.user).muted_emails
        kinds = [(kind, kind.name not in muted) for kind in every_kind()]
        context = {"form": form or EmailForm(), "kinds": kinds}
        return render(request, "organizations/email_settings.html", context, status=status)


# Mail programs send the form without cookies (RFC 8058). The signed token is what authorizes it.
@method_decorator(csrf_exempt, name="dispatch")
class Unsubscribe(View):
    """Turns off one kind of emails. Asks on GET: mail programs open links to scan them."""

    def get(self, request: HttpRequest, token: str) -> HttpResponse:
        return self._show(request, token, is_done=False)

    def post(self, request: HttpRequest, token: str) -> HttpResponse:
        return self._show(request, token, is_done=True)

    @staticmethod
    def _show(request: HttpRequest, token: str, *, is_done: bool) -> HttpResponse:
        try:
            user, kind = services.read_unsubscribe_token(token)
        except NotFound as refusal:
            raise Http404 from refusal
        if is_done:
            # The link is the person's own, and proves it as an invitation does.
            actor = Actor.person(user.id, str(user), request_context_of(request))
            services.turn_off_emails(user, kind=kind, actor=actor)
        context = {"kind": kind, "is_done": is_done}
        return render(request, "organizations/unsubscribe.html", context)

"""“Your data” page: exports what is stored about the signed-in user."""

from typing import cast

from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.generic import View

from core.actors import Actor
from core.request_context import request_context_of
from organizations import services
from organizations.models import User
from organizations.signin.reauthentication import has_recently_authenticated


class PersonalData(LoginRequiredMixin, View):
    """Exports on POST, because an export records an audit event."""

    def get(self, request: HttpRequest) -> HttpResponse:
        confirmed = "confirmed" in request.GET and has_recently_authenticated(request)
        return render(request, "organizations/personal_data.html", {"confirmed": confirmed})

    def post(self, request: HttpRequest) -> HttpResponse:
        # An unattended browser must not reveal where its owner signs in.
        if not has_recently_authenticated(request):
            return _confirm()
        user = cast(User, request.user)
        actor = Actor.person(user.id, str(user), request_context_of(request))
        return as_file(user, services.export_personal_data(user, actor=actor))


def _confirm() -> HttpResponse:
    """Redirects to the reauthentication page and back to this page.

    allauth would send the file as the response of the reauthentication, and the browser would stay
    on that form.
    """
    back = f"{reverse('personal_data')}?confirmed=1"
    address = reverse("account_reauthenticate")
    return HttpResponseRedirect(f"{address}?{urlencode({'next': back})}")


def as_file(user: User, data: object) -> JsonResponse:
    """The download. Its filename contains only the user's ID."""
    response = JsonResponse(data, json_dumps_params={"indent": 2})
    response["Content-Disposition"] = f'attachment; filename="{user.public_id}.json"'
    return response

"""Your data: what is kept about the person who is signed in, as a file."""

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
from organizations.signin.reauthentication import is_recent


class PersonalData(LoginRequiredMixin, View):
    """A page with a button, since making the file leaves an event."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """What is in the file."""
        confirmed = "confirmed" in request.GET and is_recent(request)
        return render(request, "organizations/personal_data.html", {"confirmed": confirmed})

    def post(self, request: HttpRequest) -> HttpResponse:
        """The file."""
        # A browser that was left open must not give away where its owner signs in.
        if not is_recent(request):
            return _confirm()
        user = cast(User, request.user)
        actor = Actor.person(user.id, str(user), request_context_of(request))
        return as_file(user, services.export_personal_data(user, actor=actor))


def _confirm() -> HttpResponse:
    """To the confirmation and back to the page.

    allauth would answer the confirmation with the file, and the browser would stay on its form.
    """
    back = f"{reverse('personal_data')}?confirmed=1"
    address = reverse("account_reauthenticate")
    return HttpResponseRedirect(f"{address}?{urlencode({'next': back})}")


def as_file(user: User, data: object) -> JsonResponse:
    """The download; its name tells the person by their id only."""
    response = JsonResponse(data, json_dumps_params={"indent": 2})
    response["Content-Disposition"] = f'attachment; filename="{user.public_id}.json"'
    return response

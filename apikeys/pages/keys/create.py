"""Create and rotate keys: the two pages that show a secret, once."""

from datetime import timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse

from apikeys import services
from apikeys.models import ApiKey, KeyTemplate
from apikeys.pages.forms import RotateForm
from apikeys.pages.keys.create_form import CreateKeyForm
from apikeys.pages.keys.detail import KeyPage, overlap_of
from apikeys.services import AlreadySubmitted, IdempotencyToken, Issued, key_limit
from core import ids
from core.exceptions import Conflict, Invalid
from core.forms import show_refusal
from organizations.models import ServiceAccount
from organizations.pages.step_up import StepUpPage
from organizations.roles import Action


class SecretPage(StepUpPage, KeyPage):
    """Responds to a form with a secret that no other response contains."""

    action = Action.MANAGE_KEYS

    def show_secret(self, issued: Issued, *, rotated: bool = False) -> HttpResponse:
        """201 with the secret, which caches don't store. Links send no referrer."""
        context = {"issued": issued, "key": issued.key, "rotated": rotated, "has_secret": True}
        response = self.render("apikeys/secret.html", context, status=201)
        response["Cache-Control"] = "no-store"
        response["Referrer-Policy"] = "no-referrer"
        return response

    def show_earlier(self, key: ApiKey) -> HttpResponse:
        """409 for a form that was already submitted."""
        return self.render("apikeys/already.html", {"key": key}, status=409)


class CreateKey(SecretPage):
    """Asks for a name. Everything else is under “More options”."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """The form, or the reason why the organization can't have more keys.

        In the query, `name` is kept from before a sign-in, `for` is a service account's ID, and
        `template` a template's.
        """
        keys = self.organization_keys()
        reason = key_limit.reached_message(self.organization, keys)
        if reason:
            return self.render("apikeys/exhausted.html", {"exhausted": reason})
        initial = {
            "name": request.GET.get("name", "")[:200],
            "environment": "live",
            "permissions": "standard",
            "service_account": ids.read_id("sa", request.GET.get("for", "")),
            "template": ids.read_id("tpl", request.GET.get("template", "")),
        }
        return self._show(self._form(initial=initial))

    def post(self, request: HttpRequest) -> HttpResponse:
        form = self._form(request.POST)
        if not form.is_valid():
            return self._show(form, status=422)
        confirmation = self.confirmed()
        if confirmation:
            return confirmation
        try:
            issued = services.create_api_key(
                organization=self.organization, actor=self.actor, **form.service_arguments()
            )
        except AlreadySubmitted as refusal:
            return self.show_earlier(refusal.key)
        except (Conflict, Invalid) as refusal:
            show_refusal(form, refusal)
            return self._show(form, status=422)
        return self.show_secret(issued)

    def _form(self, data: Any = None, initial: dict[str, Any] | None = None) -> CreateKeyForm:
        organization_id = self.organization.id
        templates = KeyTemplate.objects.visible_to(self.actor).for_organization(organization_id)
        accounts = ServiceAccount.objects.visible_to(self.actor).for_organization(organization_id)
        enabled = accounts.filter(disabled_at=None)
        return CreateKeyForm(
            templates.order_by("name_key"), enabled.order_by("name_key"), data, initial=initial
        )

    def _show(self, form: CreateKeyForm, status: int = 200) -> HttpResponse:
        return self.render("apikeys/create.html", {"form": form}, status=status)


class RotateKey(SecretPage):
    """Issues a new secret. The user chooses how long the old one keeps working."""

    def get(self, request: HttpRequest, **_: str) -> HttpResponse:
        return self._show(self.get_object(), RotateForm())

    def post(self, request: HttpRequest, **_: str) -> HttpResponse:
        key, form = self.get_object(), RotateForm(request.POST)
        if not form.is_valid():
            return self._show(key, form, status=422)
        confirmation = self.confirmed()
        if confirmation:
            return confirmation
        try:
            issued = services.rotate_api_key(
                key,
                actor=self.actor,
                grace_period=timedelta(seconds=int(form.cleaned_data["grace"])),
                force=request.POST.get("force") == "yes",
                submission=IdempotencyToken(form.cleaned_data["submission"].hex),
            )
        except AlreadySubmitted as refusal:
            return self.show_earlier(refusal.key)
        except (Conflict, Invalid) as refusal:
            show_refusal(form, refusal)
            return self._show(key, form, status=422)
        return self.show_secret(issued, rotated=True)

    def _show(self, key: ApiKey, form: RotateForm, status: int = 200) -> HttpResponse:
        older = overlap_of(key)
        return self.render(
            "apikeys/rotate.html", {"key": key, "form": form, "older": older}, status=status
        )

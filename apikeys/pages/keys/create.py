"""Create and rotate keys: the two pages that show a secret, once."""

from datetime import timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse

from apikeys import conf, services
from apikeys.models import ApiKey, KeyTemplate, KeyTemplateQuerySet
from apikeys.pages.forms import RotateForm
from apikeys.pages.keys import presets
from apikeys.pages.keys.create_form import CreateKeyForm
from apikeys.pages.keys.detail import ChangeKeyPage, KeyPage, overlap_of
from apikeys.services import AlreadySubmitted, IdempotencyToken, Issued, key_limit
from apikeys.usage.reports import Interval, Period, tally_of
from core import ids
from core.exceptions import Conflict, Invalid
from core.forms import show_refusal
from organizations.models import ServiceAccount
from organizations.pages.base import as_refused
from organizations.pages.step_up import GOES_BACK, StepUpPage
from organizations.roles import Action


class SecretPage(StepUpPage, KeyPage):
    """Responds to a form with a secret that no other response contains."""

    action = Action.MANAGE_KEYS
    can_go_back = True

    def show_secret(self, issued: Issued, *, rotated: bool = False) -> HttpResponse:
        """201 with the secret, which caches don't store. Links send no referrer."""
        context = {
            "issued": issued,
            "key": issued.key,
            "permissions": presets.permissions_in_words(issued.key.scopes),
            "rotated": rotated,
            "has_secret": True,
        }
        response = self.render("apikeys/secret.html", context, status=201)
        response["Cache-Control"] = "no-store"
        response["Referrer-Policy"] = "no-referrer"
        return response

    def show_earlier(self, key: ApiKey, *, rotated: bool = False) -> HttpResponse:
        """409 for a form that was already submitted."""
        return self.render("apikeys/already.html", {"key": key, "rotated": rotated}, status=409)


class CreateKey(SecretPage):
    """Asks for a name. Everything else is under “More options”."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """The form, or the reason why the organization can't have more keys.

        In the query, `name` is kept from before a sign-in, `template` is the ID of a template to
        start from, and `for` that of a service account.
        """
        keys = self.organization_keys()
        reason = key_limit.reached_message(self.organization, keys)
        if reason:
            return self.render("apikeys/exhausted.html", {"exhausted": reason})
        template_id = ids.read_id("tpl", request.GET.get("template", ""))
        template = self._templates().filter(pk=template_id).first() if template_id else None
        initial = {
            "name": request.GET.get("name", "")[:200],
            "service_account": ids.read_id("sa", request.GET.get("for", "")),
        }
        return self._show(self._form(initial={**initial, **self._filled(template)}))

    def post(self, request: HttpRequest) -> HttpResponse:
        form = self._form(request.POST)
        if "fill" in request.POST:
            return self._show(self._refilled(form))
        if not form.is_valid():
            return self._show(form, status=422)
        if GOES_BACK in request.POST:
            return self._show(form)
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
            return as_refused(self._show(form, status=422), refusal)
        return self.show_secret(issued)

    def _templates(self) -> KeyTemplateQuerySet:
        templates = KeyTemplate.objects.visible_to(self.actor)
        return templates.for_organization(self.organization.id).order_by("name_key")

    def _form(self, data: Any = None, initial: dict[str, Any] | None = None) -> CreateKeyForm:
        accounts = ServiceAccount.objects.visible_to(self.actor)
        enabled = accounts.for_organization(self.organization.id).filter(disabled_at=None)
        default_days = self.organization.default_key_days
        return CreateKeyForm(
            self._templates(), enabled.order_by("name_key"), default_days, data, initial=initial
        )

    def _refilled(self, form: CreateKeyForm) -> CreateKeyForm:
        """The form with what was entered, and the chosen template filled in. For no scripts."""
        form.is_valid()
        entered = {name: form[name].value() for name in form.fields}
        return self._form(initial={**entered, **self._filled(form.cleaned_data.get("template"))})

    def _filled(self, template: KeyTemplate | None) -> dict[str, Any]:
        """The initial values of a form that starts from a template, if any."""
        if template is None:
            return {}
        chosen = {"template": template.pk, "filled": str(template.pk)}
        return {**chosen, **presets.filled_in(template, self.organization.default_key_days)}

    def _show(self, form: CreateKeyForm, status: int = 200) -> HttpResponse:
        return self.render("apikeys/create.html", {"form": form, "brand": conf.brand()}, status)


class RotateKey(SecretPage, ChangeKeyPage):
    """Issues a new secret. The user chooses how long the old one keeps working."""

    def get(self, request: HttpRequest, **_: str) -> HttpResponse:
        key = self.get_object()
        return self._show(key, RotateForm(key.expires_at))

    def post(self, request: HttpRequest, **_: str) -> HttpResponse:
        key = self.get_object()
        form = RotateForm(key.expires_at, request.POST)
        if not form.is_valid():
            return self._show(key, form, status=422)
        if GOES_BACK in request.POST:
            return self._show(key, form)
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
            return self.show_earlier(refusal.key, rotated=True)
        except (Conflict, Invalid) as refusal:
            show_refusal(form, refusal)
            return as_refused(self._show(self.get_object(), form, status=422), refusal)
        return self.show_secret(issued, rotated=True)

    def _show(self, key: ApiKey, form: RotateForm, status: int = 200) -> HttpResponse:
        context = {
            "key": key,
            "form": form,
            "older": overlap_of(key),
            "week": tally_of(key, Period.last(7, Interval.DAY)),
        }
        return self.render("apikeys/rotate.html", context, status)

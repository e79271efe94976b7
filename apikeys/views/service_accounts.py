"""Service accounts: machines that keys belong to."""

from typing import Any

from django import forms
from django.db.models import Count, Max, Q, QuerySet
from django.http import HttpRequest, HttpResponse

from apikeys.models import ApiKey
from apikeys.views.base import DeveloperPage
from apikeys.views.configuration import row
from organizations import ids, services
from organizations.exceptions import Conflict, ErrorCode, Invalid, NotFound, is_stale
from organizations.forms import SeenForm, show_refusal
from organizations.models import ServiceAccount
from organizations.roles import Action
from organizations.stepup import StepUp

_SHOWN = 100


class AccountForm(SeenForm):
    """Name and description."""

    name = forms.CharField(
        max_length=1000, error_messages={"required": "Enter a name for the service account."}
    )
    description = forms.CharField(required=False, widget=forms.Textarea(attrs={"rows": 2}))


class AccountPage(DeveloperPage):
    """A page about service accounts."""

    action = Action.MANAGE_SERVICE_ACCOUNTS
    tab = "service-accounts"

    @property
    def accounts(self) -> QuerySet[ServiceAccount]:
        """All of the organization, with what is said of their keys."""
        live = Q(keys__revoked_at=None)
        found = ServiceAccount.objects.visible_to(self.actor)
        return found.for_organization(self.organization.id).annotate(
            key_count=Count("keys", filter=live), last_used=Max("keys__last_used_at", filter=live)
        )

    def find(self, text: str) -> ServiceAccount:
        """The service account with a public id."""
        account_id = ids.read_id("sa", text)
        found = self.accounts.filter(pk=account_id).first() if account_id else None
        if found is None:
            raise NotFound
        return found

    def show(self, form: AccountForm, status: int = 200, **more: Any) -> HttpResponse:
        """The form, new or of an account."""
        context = {"form": form, "cancel": self.address("service-accounts"), **more}
        return self.render("apikeys/service_account_form.html", context, status=status)

    def refused(self, form: AccountForm, refusal: Conflict | Invalid, **more: Any) -> HttpResponse:
        """The form with what the service has said."""
        if more.get("theirs"):
            form.look_again(more["theirs"].updated_at)
        if refusal.code == ErrorCode.NAME_TAKEN:
            form.add_error("name", refusal.message)
        else:
            show_refusal(form, refusal)
        return self.show(form, status=422, **more)


class ServiceAccounts(AccountPage):
    """The list."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """By name."""
        context = {"accounts": self.accounts.order_by("name_key")}
        return self.render("apikeys/service_accounts.html", context)


class ServiceAccountDetail(AccountPage):
    """One, with its keys."""

    def get(self, request: HttpRequest, account_id: str) -> HttpResponse:
        """The page."""
        account = self.find(account_id)
        keys = ApiKey.objects.visible_to(self.actor).for_organization(self.organization.id)
        mine = keys.live().filter(service_account_id=account.pk).for_display().order_by("-id")
        context = {"account": account, "rows": [row(key) for key in mine[:_SHOWN]]}
        return self.render("apikeys/service_account.html", context)


class CreateServiceAccount(AccountPage):
    """A new one."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """The empty form."""
        return self.show(AccountForm())

    def post(self, request: HttpRequest) -> HttpResponse:
        """Makes it."""
        form = AccountForm(request.POST)
        if not form.is_valid():
            return self.show(form, status=422)
        try:
            made = services.create_service_account(
                self.organization,
                name=form.cleaned_data["name"],
                description=form.cleaned_data["description"],
                actor=self.actor,
            )
        except (Conflict, Invalid) as refusal:
            return self.refused(form, refusal)
        address = self.address("service-account", made.public_id)
        return self.done(f"Service account {made.name} created.", address)


class EditServiceAccount(AccountPage):
    """What people read about one."""

    def get(self, request: HttpRequest, account_id: str) -> HttpResponse:
        """The form, filled."""
        account = self.find(account_id)
        values = {"name": account.name, "description": account.description}
        form = AccountForm(initial={**values, "seen": account.updated_at.isoformat()})
        return self.show(form, account=account)

    def post(self, request: HttpRequest, account_id: str) -> HttpResponse:
        """Saves, unless somebody else has changed it meanwhile."""
        account, form = self.find(account_id), AccountForm(request.POST)
        if not form.is_valid():
            return self.show(form, status=422, account=account)
        try:
            services.update_service_account(
                account,
                name=form.cleaned_data["name"],
                description=form.cleaned_data["description"],
                actor=self.actor,
                seen_at=form.seen_at,
            )
        except (Conflict, Invalid) as refusal:
            theirs = self.find(account_id) if is_stale(refusal) else None
            return self.refused(form, refusal, account=account, theirs=theirs)
        return self.done("Changes saved.", self.address("service-account", account.public_id))


class SwitchServiceAccount(StepUp, AccountPage):
    """Stops all keys of one, or lets them work again."""

    def get(self, request: HttpRequest, account_id: str) -> HttpResponse:
        """Says how many keys it concerns."""
        account = self.find(account_id)
        return self.render("apikeys/service_account_switch.html", {"account": account})

    def post(self, request: HttpRequest, account_id: str) -> HttpResponse:
        """Does it, from the next call on; enabling asks for a recent sign-in."""
        account, enabled = self.find(account_id), request.POST.get("enabled") == "yes"
        confirmation = self.confirmed() if enabled else None
        if confirmation:
            return confirmation
        services.set_service_account_enabled(account, enabled=enabled, actor=self.actor)
        state = "enabled. Its keys work again" if enabled else "disabled. Its keys now get 401"
        address = self.address("service-account", account.public_id)
        return self.done(f"Service account {account.name} {state}.", address)

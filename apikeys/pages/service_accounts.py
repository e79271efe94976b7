"""Pages about service accounts."""

from typing import Any, Final

from django.db.models import Count, Max, Q, QuerySet
from django.http import HttpRequest, HttpResponse

from apikeys import services as key_services
from apikeys.pages.crud import CreateView, EditView, ObjectPage
from apikeys.pages.forms import AccountForm
from apikeys.pages.keys.key_list import key_row
from core.exceptions import Busy, Conflict
from core.forms import VersionedForm
from organizations import services
from organizations.models import ServiceAccount
from organizations.pages.base import with_retry
from organizations.pages.step_up import StepUpPage
from organizations.roles import Action

_SHOWN: Final = 100


class AccountPage(ObjectPage[ServiceAccount]):
    """Base of the pages about service accounts."""

    action = Action.MANAGE_SERVICE_ACCOUNTS
    tab = "service-accounts"
    verbose_name = "service account"
    list_label = "Service accounts"
    id_prefix = "sa"
    url_kwarg = "account_id"
    form_class = AccountForm

    def get_queryset(self) -> QuerySet[ServiceAccount]:
        """The organization's accounts, with the number and last use of their keys."""
        live = Q(keys__revoked_at=None)
        accounts = ServiceAccount.objects.visible_to(self.actor).undeleted()
        return accounts.for_organization(self.organization.id).annotate(
            key_count=Count("keys", filter=live), last_used=Max("keys__last_used_at", filter=live)
        )

    def get_success_url(self, obj: ServiceAccount | None) -> str:
        if obj is None:
            return self.page_url("service-accounts")
        return self.page_url("service-account", obj.public_id)


class ServiceAccounts(AccountPage):
    def get(self, request: HttpRequest) -> HttpResponse:
        context = {"accounts": list(self.get_queryset().order_by("name_key"))}
        return self.render("apikeys/service_accounts.html", context)


class ServiceAccountDetail(AccountPage):
    def get(self, request: HttpRequest, **_: str) -> HttpResponse:
        account = self.get_object()
        keys = self.organization_keys()
        keys = keys.unrevoked().filter(service_account_id=account.pk).for_display().order_by("-id")
        context = {"account": account, "rows": [key_row(key) for key in keys[:_SHOWN]]}
        return self.render("apikeys/service_account.html", context)


class CreateServiceAccount(CreateView[ServiceAccount], AccountPage):
    def perform_create(self, values: dict[str, Any]) -> ServiceAccount:
        return services.create_service_account(self.organization, actor=self.actor, **values)


class EditServiceAccount(EditView[ServiceAccount], AccountPage):
    """Edits the name and description."""

    def perform_update(self, obj: ServiceAccount, form: VersionedForm) -> object:
        return services.update_service_account(
            obj, actor=self.actor, seen_at=form.seen_at, **form.service_arguments()
        )


class SwitchServiceAccount(StepUpPage, AccountPage):
    """Disables a service account and thereby its keys, or enables it again."""

    def get(self, request: HttpRequest, **_: str) -> HttpResponse:
        """Asks for confirmation."""
        return self.render("apikeys/service_account_switch.html", {"account": self.get_object()})

    def post(self, request: HttpRequest, **_: str) -> HttpResponse:
        """Enabling requires a recent sign-in, because it gives access back."""
        account, enabled = self.get_object(), request.POST.get("enabled") == "yes"
        confirmation = self.confirmed() if enabled else None
        if confirmation:
            return confirmation
        try:
            services.set_service_account_enabled(account, enabled=enabled, actor=self.actor)
        except Busy as refusal:
            context = {"account": account, "refusal": refusal}
            shown = self.render("apikeys/service_account_switch.html", context)
            return with_retry(shown, refusal)
        state = "enabled. Its keys work again" if enabled else "disabled. Its keys now get 401"
        return self.done(f"Service account {account} {state}.", self.get_success_url(account))


class DeleteServiceAccount(AccountPage):
    """Deletes a service account whose keys are all deleted. Otherwise it leads to its keys."""

    def get(self, request: HttpRequest, **_: str) -> HttpResponse:
        """Asks for confirmation."""
        return self._show(self.get_object())

    def post(self, request: HttpRequest, **_: str) -> HttpResponse:
        account = self.get_object()
        try:
            key_services.delete_service_account(account, actor=self.actor)
        except Busy as refusal:
            return with_retry(self._show(account, refusal=refusal), refusal)
        except Conflict:
            return self._show(self.get_object(), status=409)
        return self.done(f"Service account {account} deleted.", self.get_success_url(None))

    def _show(
        self, account: ServiceAccount, status: int = 200, refusal: Busy | None = None
    ) -> HttpResponse:
        context = {"account": account, "refusal": refusal}
        return self.render("apikeys/service_account_delete.html", context, status=status)

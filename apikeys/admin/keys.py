"""Admin of API keys: view, search, disable, enable, revoke, and create for a customer."""

from datetime import datetime
from typing import Any, Final

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.utils import timezone
from django.utils.html import format_html, format_html_join

from apikeys import services
from apikeys.admin.actions import KeyActions
from apikeys.admin.filters import (
    ExpiryFilter,
    IdlenessFilter,
    RefusalFilter,
    StatusFilter,
    UnusualFilter,
)
from apikeys.admin.forms import NewKeyForm
from apikeys.models import ApiKey, ApiKeySecret, Status
from apikeys.usage import reports
from apikeys.usage.reports import Interval, Period
from core.exceptions import DomainError, ErrorCode
from core.forms import show_refusal
from core.text import name_key
from core.timestamps import stamp
from organizations.admin.base import ServiceAdmin, staff_actor
from organizations.admin.display import client, link_to, moment, state, two_lines
from organizations.admin.step_up import confirmation_first, too_old
from organizations.signin.step_up import StepUp

_TABLE: Final = (
    '<details><summary>Days with requests</summary><table class="usage"><thead><tr>'
    '<th scope="col">Day (UTC)</th><th scope="col">Requests</th>'
    '<th scope="col">Successful</th><th scope="col">Errors</th><th scope="col">Rejected</th></tr>'
    "</thead><tbody>{}</tbody></table></details>"
)
_ROW: Final = '<tr><th scope="row">{}</th><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>'
#: Secrets shown on a key's page.
_SECRETS: Final = 20
#: Status → kind of state, icon.
STATES: Final = {
    Status.ACTIVE: ("ok", "check-circle"),
    Status.DISABLED: ("off", "pause-circle"),
    Status.EXPIRED: ("bad", "clock"),
    Status.REVOKED: ("bad", "trash"),
}
#: Heading on a key's page → its fields.
_FIELDS: Final[dict[str | None, tuple[str, ...]]] = {
    None: (
        "name",
        "state",
        "organization",
        "environment",
        "service_account",
        "description",
        "scope_list",
        "tier",
        "metadata",
        "secret_table",
    ),
    "History": (
        "created_by",
        "created_by_key",
        "created_at",
        "updated_at",
        "expires_at",
        "disabled_at",
        "revoked_at",
    ),
    "Usage": (
        "requests",
        "usage_table",
        "last_refused",
        "last_used_at",
        "last_used_ip",
        "last_used_by",
    ),
    "Identifiers": ("public_id", "uuid"),
}
#: Days of usage on a key's page.
_DAYS: Final = 30


@admin.register(ApiKey)
class ApiKeyAdmin(KeyActions, ServiceAdmin[ApiKey]):
    """Keys can't be edited here, but disabled, enabled and revoked."""

    id_prefix = "key"
    list_display = ("key", "owner", "state", "last_used", "expires", "created")
    list_filter = (
        StatusFilter,
        "environment",
        ExpiryFilter,
        IdlenessFilter,
        RefusalFilter,
        UnusualFilter,
    )
    search_fields = (
        "name",
        "organization__name",
        "created_by__email",
        "created_by__name",
        "secrets__prefix__startswith",
    )
    search_help_text = "A name, organization, creator, prefix or ID (key_…)."
    actions = ("disable", "enable", "set_tier", "revoke")
    ordering = ("-id",)
    show_full_result_count = False
    change_form_template = "admin/apikeys/apikey/detail.html"
    fieldsets = [(title, {"fields": names}) for title, names in _FIELDS.items()]
    readonly_fields = tuple(name for names in _FIELDS.values() for name in names)

    def get_queryset(self, request: HttpRequest) -> QuerySet[ApiKey]:
        return ApiKey.objects.for_display().select_related("created_by", "created_by_key")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[ApiKey], search_term: str
    ) -> tuple[QuerySet[ApiKey], bool]:
        """A prefix may be pasted with the dots that replace the rest of its secret."""
        return super().get_search_results(request, queryset, search_term.strip(" •…"))

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Shows a key. Its buttons run the list's actions on this key."""
        if request.method == "POST":
            return HttpResponseNotAllowed(["GET"])
        buttons = dict.fromkeys(("show_save", "show_save_and_continue"), False)
        title = {"title": "API key", "show_save_and_add_another": False}
        context = {**(extra_context or {}), **buttons, **title}
        return super().change_view(request, object_id, form_url, context)

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Creates a key for an organization and shows its secret in the response."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        first = confirmation_first(request) if request.method != "POST" else None
        if first:
            return first
        initial = {"organization": request.GET.get("organization")}
        form = NewKeyForm(request.POST or None, initial=initial)
        if request.method == "POST" and form.is_valid() and self._is_confirmed(request, form):
            issued = self._create(request, form)
            if issued:
                return self._show_once(request, issued)
        context = {"form": form, "existing": self._existing(form), "title": "Create an API key"}
        return self.page(request, "create", context)

    def _is_confirmed(self, request: HttpRequest, form: NewKeyForm) -> bool:
        """Where the sign-in has grown old over the form, nothing that was typed is lost."""
        step = StepUp(request)
        if not step.is_needed:
            return True
        form.add_error(None, too_old(step.url))
        return False

    def _create(self, request: HttpRequest, form: NewKeyForm) -> services.Issued | None:
        try:
            return services.create_api_key(actor=staff_actor(request), **form.cleaned_data)
        except DomainError as refusal:
            show_refusal(form, refusal)
            form.name_taken = refusal.code is ErrorCode.NAME_TAKEN
            return None

    def _existing(self, form: NewKeyForm) -> ApiKey | None:
        """The key with the taken name, most likely created by the same form just before."""
        if not form.name_taken:
            return None
        organization = form.cleaned_data["organization"]
        taken = name_key(form.data["name"])  # the error removed it from `cleaned_data`
        return ApiKey.objects.filter(
            organization=organization, name_key=taken, revoked_at=None
        ).first()

    def _show_once(self, request: HttpRequest, issued: services.Issued) -> HttpResponse:
        context = {"issued": issued, "key": issued.key, "title": "Store this key now"}
        response = self.page(request, "created", context)
        response["Cache-Control"] = "no-store"
        response["Referrer-Policy"] = "no-referrer"
        return response

    @admin.display(description="Key", ordering="name_key")
    def key(self, key: ApiKey) -> str:
        """The name, with the display prefix below and dots for the rest."""
        return two_lines(key.name, format_html("<code>{}••••</code>", key.key_prefix))

    @admin.display(description="Organization", ordering="organization__name")
    def owner(self, key: ApiKey) -> str:
        """The organization, with a link, and the service account if there is one."""
        link = link_to("Organization", key.organization_id, key.organization)
        return two_lines(link, key.service_account or "")

    @admin.display(description="Status")
    def state(self, key: ApiKey) -> str:
        """The status; below it the environment, if it is not the usual one."""
        kind, icon = STATES[key.status]
        shown = state(kind, key.status.capitalize(), icon)
        return two_lines(shown, "" if key.livemode else "Test environment")

    @admin.display(description="Last used", ordering="last_used_at")
    def last_used(self, key: ApiKey) -> str:
        return moment(key.last_used_at, "Never")

    @admin.display(description="Last used by")
    def last_used_by(self, key: ApiKey) -> str:
        return client(key.last_used_user_agent)

    @admin.display(description="Expires", ordering="expires_at")
    def expires(self, key: ApiKey) -> str:
        return moment(key.expires_at, "Never")

    @admin.display(description="Created", ordering="created_at")
    def created(self, key: ApiKey) -> str:
        """The day, and by whom."""
        day = stamp(key.created_at).partition(", ")[0]
        return two_lines(day, f"by {key.created_by}" if key.created_by else "by a key")

    @admin.display(description="Scopes")
    def scope_list(self, key: ApiKey) -> str:
        return ", ".join(key.scopes)

    @admin.display(description="Requests in 30 days")
    def requests(self, key: ApiKey) -> str:
        """The number of requests, and how many of them were rejected."""
        tally = reports.total(bucket.tally for bucket in self._days(key))
        return f"{tally.requests:,}, {tally.refused:,} of them rejected"

    @admin.display(description="By day")
    def usage_table(self, key: ApiKey) -> str:
        """The days with requests, newest first."""
        rows = [
            (
                f"{bucket.start:%-d %b %Y}",
                *(f"{number:,}" for number in (tally.requests, tally.ok, tally.failed)),
                f"{tally.refused:,}",
            )
            for bucket in reversed(self._days(key))
            if (tally := bucket.tally).requests
        ]
        if not rows:
            return "No requests in 30 days"
        cells = format_html_join("", _ROW, rows)
        return format_html(_TABLE, cells)

    @staticmethod
    def _days(key: ApiKey) -> list[reports.Bucket]:
        """The usage by day, read once for a page."""
        if not hasattr(key, "days"):
            found = ApiKey.objects.filter(pk=key.pk)
            key.days = reports.buckets(found, Period.last(_DAYS, Interval.DAY))  # type: ignore[attr-defined]
        days: list[reports.Bucket] = key.days  # type: ignore[attr-defined]
        return days

    @admin.display(description="Last rejected")
    def last_refused(self, key: ApiKey) -> str:
        """Hour and reason. Rejected requests don't count as use."""
        found = reports.last_refusal(key)
        if found is None:
            return "Never"
        return f"in the hour from {found.hour:%-d %b %Y, %H:%M} UTC: {found.result}"

    @admin.display(description="Secrets")
    def secret_table(self, key: ApiKey) -> str:
        """The newest secrets with prefix, creation and end. Each rotation adds one."""
        now, secrets = timezone.now(), list(key.secrets.order_by("-id")[: _SECRETS + 1])
        rows = [
            (f"{s.prefix}••••", f"made {s.created_at:%-d %b %Y, %H:%M} UTC", _end(s, now))
            for s in secrets[:_SECRETS]
        ]
        table = format_html_join("", "<div><code>{}</code> {}, {}</div>", rows)
        if len(secrets) <= _SECRETS:
            return table
        return format_html("{}<div>Older secrets are not shown.</div>", table)


def _end(secret: ApiKeySecret, now: datetime) -> str:
    end = secret.works_until
    if secret.ends_at is None or end is None:
        return "current"
    return f"{'works until' if end > now else 'ended'} {end:%-d %b %Y, %H:%M} UTC"

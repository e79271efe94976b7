"""Pages about one key: show, edit, disable, delete."""

from contextlib import suppress
from typing import Any, Final, NamedTuple

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone

from apikeys import conf, services
from apikeys.events import KeyEvent
from apikeys.models import ApiKey, ApiKeySecret, Status
from apikeys.pages.crud import EditView, ObjectPage
from apikeys.pages.forms import DeleteForm, EditKeyForm
from apikeys.pages.keys.delete import created_keys_of, deletion_message
from apikeys.pages.keys.history import SHOWN, history
from apikeys.pages.keys.key_list import key_row
from apikeys.pages.usage.views import last_days, last_refusal
from apikeys.usage.reports import Interval, Period, tally_of, unused_scopes
from core.exceptions import Busy, Conflict, is_stale
from core.forms import VersionedForm, show_refusal
from organizations.models import AuditEvent
from organizations.pages.base import as_refused, with_retry
from organizations.pages.step_up import StepUpPage
from organizations.roles import MANAGE_KEYS_SCOPE, Action

_EDITABLE: Final = frozenset(EditKeyForm.base_fields) - {"seen"}
_CHANGES: Final = (KeyEvent.UPDATED, KeyEvent.ENABLED, KeyEvent.DISABLED)
_OWN_CHANGE: Final = (
    "You changed this key in another tab while you were editing. Review that version."
)


class KeyPage(ObjectPage[ApiKey]):
    """Base of the pages about one key."""

    verbose_name = "key"
    id_prefix = "key"
    url_kwarg = "key_id"
    form_class = EditKeyForm

    def get_queryset(self) -> QuerySet[ApiKey]:
        """Includes deleted keys."""
        return self.organization_keys().for_pages().select_related("created_by_key")

    def get_success_url(self, obj: ApiKey | None) -> str:
        if obj is None:
            return self.page_url("configuration")
        return self.page_url("key", obj.public_id)

    def show_key(
        self, key: ApiKey, form: EditKeyForm | None = None, theirs: Any = None, status: int = 200
    ) -> HttpResponse:
        """Everything about a key except its secret. `form` edits one of its fields in place."""
        row, older = key_row(key), overlap_of(key)
        edited = form.visible_fields()[0] if form else None
        events = AuditEvent.objects.visible_log_of(self.organization.id, self.actor)
        context = {
            "key": key,
            "row": row,
            "older": older,
            "badge": _badge(row, older),
            "unused": unused_scopes(key),
            "refused": last_refusal(key),
            "usage": last_days(self.organization_keys().filter(pk=key.pk)),
            "timeline": history(events.about(key.pk)[:SHOWN], self.organization),
            "scope_count": len(conf.scopes()),
            "manages_keys": MANAGE_KEYS_SCOPE in key.scopes,
            "form": form,
            "edited": edited,
            "theirs": theirs,
        }
        return self.render("apikeys/key.html", context, status=status)


def overlap_of(key: ApiKey) -> ApiKeySecret | None:
    """The old secret, if it still works after a rotation."""
    return key.secrets.overlapping(timezone.now()).order_by("-ends_at").first()


class _Badge(NamedTuple):
    """A status in a heading. `kind` is its CSS class."""

    kind: str
    icon: str
    word: str


_ENDED: Final = {
    Status.REVOKED: _Badge("bad", "trash", "Deleted"),
    Status.EXPIRED: _Badge("bad", "clock", "Expired"),
    Status.DISABLED: _Badge("off", "pause-circle", "Disabled"),
}


def _badge(row: dict[str, Any], older: ApiKeySecret | None) -> _Badge:
    if row["status"] in _ENDED:
        return _ENDED[row["status"]]
    if older:
        return _Badge("info", "arrow-path", "Rotating")
    if row["expires_soon"]:
        return _Badge("warn", "clock", "Expiring soon")
    return _Badge("ok", "check-circle", "Active")


def field_form(key: ApiKey, name: str, data: Any = None) -> EditKeyForm | None:
    """The form of one field. None for an unknown one."""
    if name not in _EDITABLE:
        return None
    form = EditKeyForm.of(key, data)
    form.limit_to(name)
    return form


class KeyDetail(KeyPage):
    """A key's page. Also shows deleted keys."""

    def get(self, request: HttpRequest, **_: str) -> HttpResponse:
        """`edit` in the query names a field to edit in its row."""
        key = self.get_object()
        edited = "" if key.revoked_at else request.GET.get("edit", "")
        return self.show_key(key, field_form(key, edited))


class _AlreadyDeletedError(Exception):
    pass


class ChangeKeyPage(StepUpPage, KeyPage):
    """Base of the pages that change a key. Of a deleted key, each says only that it was deleted."""

    action = Action.MANAGE_KEYS

    def get_object(self) -> ApiKey:
        key = super().get_object()
        if key.revoked_at:
            raise _AlreadyDeletedError
        return key

    def handle(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """A change of a deleted key is a conflict, also if it was deleted a moment ago."""
        try:
            return super().handle(request, *args, **kwargs)
        except _AlreadyDeletedError:
            if request.method != "POST":
                return self.render("apikeys/deleted.html")
        with suppress(Conflict):
            services.require_not_revoked(super().get_object())  # waits until the deletion holds
        return self.render("apikeys/deleted.html", status=409)


class EditKey(EditView[ApiKey], ChangeKeyPage):
    """Edits a key: all of its fields, or the one that `field` in the query names."""

    @property
    def field(self) -> str:
        """The one field to edit. Empty for all."""
        name = self.request.GET.get("field", "")
        return name if name in _EDITABLE else ""

    def get_form(self, obj: ApiKey, data: Any = None) -> VersionedForm:
        return field_form(obj, self.field, data) or super().get_form(obj, data)

    def show_form(
        self,
        form: VersionedForm,
        obj: ApiKey | None = None,
        status: int = 200,
        theirs: Any = None,
    ) -> HttpResponse:
        """A single field is edited in its row of the key's page."""
        if self.in_dialog or not self.field or not isinstance(form, EditKeyForm):
            return super().show_form(form, obj, status, theirs)
        return self.show_key(self.get_object(), form, theirs, status)

    def confirmation(self, obj: ApiKey, form: VersionedForm) -> HttpResponse | None:
        """Required if the key can do more or expires later afterwards."""
        return (
            self.confirmed() if services.widens_authority(obj, form.service_arguments()) else None
        )

    def perform_update(self, obj: ApiKey, form: VersionedForm) -> object:
        # Without `form.seen_at`, still refuses if the key has changed since `confirmation`.
        seen_at = form.seen_at or obj.updated_at
        try:
            return services.update_api_key(
                obj, actor=self.actor, changes=form.service_arguments(), seen_at=seen_at
            )
        except Conflict as refusal:
            if is_stale(refusal) and self._changed_it(obj):
                raise Conflict(_OWN_CHANGE, code=refusal.code) from refusal
            raise

    def _changed_it(self, key: ApiKey) -> bool:
        """Whether the last change was by the user, such as in another tab."""
        events = AuditEvent.objects.visible_log_of(self.organization.id, self.actor)
        changes = events.about(key.pk).filter(event__in=_CHANGES)
        last = changes.values_list("actor_id", flat=True).first()
        return last == self.actor.principal_id


class SwitchKey(ChangeKeyPage):
    """Disables a key, or enables it again."""

    def get(self, request: HttpRequest, **_: str) -> HttpResponse:
        """Asks for confirmation."""
        return self.render("apikeys/switch.html", {"key": self.get_object()})

    def post(self, request: HttpRequest, **_: str) -> HttpResponse:
        """Enabling requires a recent sign-in, because it gives access back."""
        key, enabled = self.get_object(), request.POST.get("enabled") == "yes"
        confirmation = self.confirmed() if enabled else None
        if confirmation:
            return confirmation
        try:
            services.set_api_key_enabled(key, enabled=enabled, actor=self.actor)
        except Conflict as refusal:
            context = {"key": self.get_object(), "refusal": refusal.message}
            return as_refused(self.render("apikeys/switch.html", context, status=409), refusal)
        return self.done(switch_message(key, enabled=enabled), self.get_success_url(key))


def switch_message(key: ApiKey, *, enabled: bool) -> str:
    if enabled:
        return f"Key {key} enabled. It works again."
    return f"Key {key} disabled. Requests with it now get 401 until you enable it."


class DeleteKey(ChangeKeyPage):
    """Deletes a key permanently, or disables it instead."""

    def get(self, request: HttpRequest, **_: str) -> HttpResponse:
        """Asks for confirmation, and shows the key's usage."""
        key = self.get_object()
        return self._show(key, DeleteForm([key]))

    def post(self, request: HttpRequest, **_: str) -> HttpResponse:
        key = self.get_object()
        disable = request.POST.get("instead") == "disable"
        form = DeleteForm([key], request.POST)
        if not disable and not form.is_valid():
            return self._show(key, form, status=422)
        confirmation = None if disable else self.confirmed()
        if confirmation:
            return confirmation
        try:
            message = self._disable(key) if disable else self._delete(key, form)
        except Busy as refusal:
            again = DeleteForm([key], initial=request.POST.dict())
            return with_retry(self._show(key, again, refusal=refusal), refusal)
        except Conflict as refusal:
            return self._show_conflict(form, refusal)
        return self.done(message, self.page_url("configuration"))

    def _disable(self, key: ApiKey) -> str:
        services.set_api_key_enabled(key, enabled=False, actor=self.actor)
        return switch_message(key, enabled=False)

    def _delete(self, key: ApiKey, form: DeleteForm) -> str:
        cascade = form.cleaned_data["cascade"]
        return deletion_message(services.revoke_api_keys([key], actor=self.actor, cascade=cascade))

    def _show_conflict(self, form: DeleteForm, refusal: Conflict) -> HttpResponse:
        """For a key that was deleted in the meantime, or a cascade to too many keys."""
        key = self.get_object()
        show_refusal(form, refusal)
        return self._show(key, form, status=422)

    def _show(
        self, key: ApiKey, form: DeleteForm, status: int = 200, refusal: Busy | None = None
    ) -> HttpResponse:
        context = {
            "key": key,
            "form": form,
            "refusal": refusal,
            "created": created_keys_of([key], self.organization_keys()),
            "week": tally_of(key, Period.last(7, Interval.DAY)),
        }
        return self.render("apikeys/delete.html", context, status=status)

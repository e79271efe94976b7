"""Deletes, disables or enables the keys selected in the list, all or none."""

from typing import Any, ClassVar, Final

from django.http import HttpRequest, HttpResponse

from apikeys import services
from apikeys.models import ApiKey
from apikeys.pages.base import DeveloperPage
from apikeys.pages.forms import DeleteForm
from apikeys.pages.keys.delete import created_keys_of, deletion_message, without_deleted
from apikeys.pages.keys.detail import switch_message
from core import ids
from core.exceptions import Conflict, DomainError, NotFound
from core.forms import show_refusal
from organizations.pages.base import as_refused
from organizations.pages.step_up import StepUpPage
from organizations.roles import Action

#: More keys than a page of the list has. The API has the same limit per request.
MOST_SELECTED: Final = services.MOST_SWITCHED


class SelectedKeysPage(StepUpPage, DeveloperPage):
    """Base of the pages about selected keys. Each asks for confirmation first."""

    action = Action.MANAGE_KEYS

    def selected(self, texts: list[str]) -> list[ApiKey]:
        """The keys with these IDs. Raises NotFound for another organization's.

        Looks up at most one key more than MOST_SELECTED.
        """
        read = dict.fromkeys(ids.read_id("key", text) for text in texts[: MOST_SELECTED + 1])
        found = [key_id for key_id in read if key_id]
        keys = self.organization_keys().for_display().in_bulk(found)
        if len(keys) < len(read):
            raise NotFound
        return [keys[key_id] for key_id in found]


class DeleteKeys(SelectedKeysPage):
    def get(self, request: HttpRequest) -> HttpResponse:
        keys = without_deleted(self.selected(request.GET.getlist("key")))
        return self._show(keys, DeleteForm(keys))

    def post(self, request: HttpRequest) -> HttpResponse:
        selected = self.selected(request.POST.getlist("key"))
        keys = without_deleted(selected)
        if selected and not keys:
            # Waits until the earlier deletion is in effect.
            services.revoke_api_keys(selected[:1], actor=self.actor)
        form = DeleteForm(keys, request.POST)
        if not keys or len(keys) > MOST_SELECTED or not form.is_valid():
            return self._show(keys, form, status=422)
        confirmation = self.confirmed()
        if confirmation:
            return confirmation
        try:
            revoked = services.revoke_api_keys(
                keys, actor=self.actor, cascade=form.cleaned_data["cascade"]
            )
        except Conflict as refusal:
            show_refusal(form, refusal)
            return as_refused(self._show(keys, form, status=422), refusal)
        return self.done(deletion_message(revoked), self.page_url("configuration"))

    def _show(self, keys: list[ApiKey], form: DeleteForm, status: int = 200) -> HttpResponse:
        too_many = len(keys) > MOST_SELECTED
        context: dict[str, Any] = {
            "keys": keys,
            "form": form,
            "too_many": MOST_SELECTED if too_many else 0,
            "created": created_keys_of([] if too_many else keys, self.organization_keys()),
        }
        return self.render("apikeys/delete_many.html", context, status=status)


class SwitchKeys(SelectedKeysPage):
    """Disables the keys, or enables them again, which requires a recent sign-in."""

    enabled: ClassVar[bool]

    def get(self, request: HttpRequest) -> HttpResponse:
        return self._show(without_deleted(self.selected(request.GET.getlist("key"))))

    def post(self, request: HttpRequest) -> HttpResponse:
        selected = self.selected(request.POST.getlist("key"))
        keys = without_deleted(selected)
        if not selected or len(keys) > MOST_SELECTED:
            return self._show(keys, status=422)
        confirmation = self.confirmed() if self.enabled else None
        if confirmation:
            return confirmation
        try:
            # If all were deleted meanwhile, it waits for that deletion and raises Conflict.
            services.set_api_keys_enabled(
                keys or selected[:1], enabled=self.enabled, actor=self.actor
            )
        except Conflict as refusal:
            return as_refused(self._show(keys, status=422, refusal=refusal), refusal)
        return self.done(self._message(keys), self.page_url("configuration"))

    def _message(self, keys: list[ApiKey]) -> str:
        if len(keys) == 1:
            return switch_message(keys[0], enabled=self.enabled)
        if self.enabled:
            return f"{len(keys)} keys enabled. They work again."
        return f"{len(keys)} keys disabled. Requests with them now get 401 until you enable them."

    def _show(
        self, keys: list[ApiKey], status: int = 200, refusal: DomainError | None = None
    ) -> HttpResponse:
        context = {
            "keys": keys,
            "enable": self.enabled,
            "too_many": MOST_SELECTED if len(keys) > MOST_SELECTED else 0,
            "refusal": refusal if keys else None,
        }
        return self.render("apikeys/switch_many.html", context, status=status)


class DisableKeys(SwitchKeys):
    enabled = False


class EnableKeys(SwitchKeys):
    enabled = True

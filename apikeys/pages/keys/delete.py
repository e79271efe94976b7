"""Deletes several keys, and finds the keys that a deletion can cascade to."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.http import HttpRequest, HttpResponse

from apikeys import services
from apikeys.models import ApiKey, ApiKeyQuerySet
from apikeys.pages.base import DeveloperPage
from apikeys.pages.forms import DeleteForm
from apikeys.services import MOST_REVOKED, created_keys
from core import ids
from core.exceptions import Conflict, NotFound
from core.forms import show_refusal
from organizations.pages.step_up import StepUpPage
from organizations.roles import Action

#: More keys than a page of the list has. The API has the same limit per request.
MOST_SELECTED: Final = 100
_MOST_NAMED: Final = 50


@dataclass(frozen=True, slots=True)
class CreatedKeys:
    """The unrevoked keys that other keys created: how many, and the first of them by name.

    If they are `too_many` to be deleted together, none is named.
    """

    count: int = 0
    named: Sequence[ApiKey] = ()
    too_many: bool = False

    @property
    def unnamed(self) -> int:
        """How many are not in `named`."""
        return self.count - len(self.named)


def created_keys_of(keys: Sequence[ApiKey], visible: ApiKeyQuerySet) -> CreatedKeys:
    """The keys that deleting `keys` can cascade to. Names only keys in `visible`."""
    chosen = {key.pk for key in keys}
    try:
        created = created_keys.created_by(chosen) - chosen
    except Conflict:
        return CreatedKeys(too_many=True)
    if not created:
        return CreatedKeys()
    if len(created | chosen) > MOST_REVOKED:
        return CreatedKeys(too_many=True)
    named = visible.filter(pk__in=created).for_display().order_by("name_key")[:_MOST_NAMED]
    return CreatedKeys(len(created), list(named))


def deletion_message(keys: Sequence[ApiKey]) -> str:
    if len(keys) == 1:
        return f"Key {keys[0]} deleted. Requests using it now get 401."
    return f"{len(keys):,} keys deleted. Requests using them now get 401."


def without_deleted(keys: list[ApiKey]) -> list[ApiKey]:
    return [key for key in keys if not key.revoked_at]


class DeleteKeys(StepUpPage, DeveloperPage):
    """Deletes the keys selected in the list, all or none."""

    action = Action.MANAGE_KEYS

    def get(self, request: HttpRequest) -> HttpResponse:
        """Asks for confirmation."""
        keys = without_deleted(self._selected(request.GET.getlist("key")))
        return self._show(keys, DeleteForm(keys))

    def post(self, request: HttpRequest) -> HttpResponse:
        selected = self._selected(request.POST.getlist("key"))
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
            return self._show(keys, form, status=422)
        return self.done(deletion_message(revoked), self.page_url("configuration"))

    def _selected(self, texts: list[str]) -> list[ApiKey]:
        """The keys with these IDs. Raises NotFound for another organization's.

        Looks up at most one key more than MOST_SELECTED.
        """
        read = dict.fromkeys(ids.read_id("key", text) for text in texts[: MOST_SELECTED + 1])
        key_ids = [key_id for key_id in read if key_id]
        keys = self.organization_keys().for_display().in_bulk(key_ids)
        if len(keys) < len(read):
            raise NotFound
        return [keys[key_id] for key_id in key_ids]

    def _show(self, keys: list[ApiKey], form: DeleteForm, status: int = 200) -> HttpResponse:
        too_many = len(keys) > MOST_SELECTED
        context: dict[str, Any] = {
            "keys": keys,
            "form": form,
            "too_many": MOST_SELECTED if too_many else 0,
            "created": created_keys_of([] if too_many else keys, self.organization_keys()),
        }
        return self.render("apikeys/delete_many.html", context, status=status)

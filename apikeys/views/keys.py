"""One key: its page, its changes, its end."""

from typing import Final

from django.http import HttpRequest, HttpResponse

from apikeys import services
from apikeys.models import ApiKey
from apikeys.page_forms import DeleteForm, EditKeyForm, is_in_use
from apikeys.sentences import sentence
from apikeys.views.base import DeveloperPage
from apikeys.views.configuration import row
from apikeys.views.creation import overlap_of
from organizations.exceptions import Conflict, ErrorCode, Invalid, is_stale
from organizations.forms import show_refusal
from organizations.models import AuditEvent
from organizations.roles import Action
from organizations.stepup import StepUp

_TIMELINE: Final = 50


class KeyDetail(DeveloperPage):
    """Everything about a key but its secret."""

    def get(self, request: HttpRequest, key_id: str) -> HttpResponse:
        """The page, also of a deleted key."""
        key = self.find_key(key_id)
        events = AuditEvent.objects.visible_to(self.actor).for_organization(self.organization.id)
        about = events.filter(target_id=key.pk).order_by("-id")[:_TIMELINE]
        context = {
            "key": key,
            "row": row(key),
            "older": overlap_of(key),
            "timeline": [{"event": event, "sentence": sentence(event)} for event in about],
        }
        return self.render("apikeys/key.html", context)


class EditKey(DeveloperPage):
    """Name, description, permissions, expiry."""

    action = Action.MANAGE_KEYS

    def get(self, request: HttpRequest, key_id: str) -> HttpResponse:
        """The form, filled from the key."""
        key = self.find_key(key_id)
        return self._show(key, EditKeyForm.of(key))

    def post(self, request: HttpRequest, key_id: str) -> HttpResponse:
        """Saves, unless somebody else has changed the key meanwhile."""
        key, form = self.find_key(key_id), EditKeyForm(request.POST)
        if not form.is_valid():
            return self._show(key, form, status=422)
        try:
            services.update_api_key(
                key, actor=self.actor, changes=form.wanted(key), seen_at=form.seen_at
            )
        except (Conflict, Invalid) as refusal:
            return self._refuse_edit(key, form, refusal)
        return self.done("Changes saved.", self.address("key", key.public_id))

    def _refuse_edit(
        self, key: ApiKey, form: EditKeyForm, refusal: Conflict | Invalid
    ) -> HttpResponse:
        theirs = None
        if is_stale(refusal):
            theirs = self.find_key(key.public_id)
            form.look_again(theirs.updated_at)
        if refusal.code == ErrorCode.NAME_TAKEN:
            form.add_error("name", refusal.message)
        else:
            show_refusal(form, refusal)
        return self._show(key, form, status=422, theirs=theirs)

    def _show(
        self, key: ApiKey, form: EditKeyForm, status: int = 200, theirs: ApiKey | None = None
    ) -> HttpResponse:
        context = {"key": key, "form": form, "theirs": theirs}
        return self.render("apikeys/edit.html", context, status=status)


class SwitchKey(StepUp, DeveloperPage):
    """Disables a key, or enables it again."""

    action = Action.MANAGE_KEYS

    def get(self, request: HttpRequest, key_id: str) -> HttpResponse:
        """Says what will happen."""
        return self.render("apikeys/switch.html", {"key": self.find_key(key_id)})

    def post(self, request: HttpRequest, key_id: str) -> HttpResponse:
        """Does it; enabling, which gives access back, asks for a recent sign-in."""
        key, enabled = self.find_key(key_id), request.POST.get("enabled") == "yes"
        confirmation = self.confirmed() if enabled else None
        if confirmation:
            return confirmation
        try:
            services.set_api_key_enabled(key, enabled=enabled, actor=self.actor)
        except Conflict as refusal:
            return self.render(
                "apikeys/switch.html", {"key": key, "refusal": refusal.message}, status=409
            )
        return self.done(switched(key, enabled=enabled), self.address("key", key.public_id))


def switched(key: ApiKey, *, enabled: bool) -> str:
    """What has happened to a key that was switched."""
    if enabled:
        return f"Key {key.name} enabled. It works again."
    return f"Key {key.name} disabled. Requests using it now get 401 until you enable it."


class DeleteKey(StepUp, DeveloperPage):
    """Ends a key for good, or disables it instead."""

    action = Action.MANAGE_KEYS

    def get(self, request: HttpRequest, key_id: str) -> HttpResponse:
        """The facts that speak for or against it."""
        key = self.find_key(key_id)
        return self._show(key, DeleteForm(key))

    def post(self, request: HttpRequest, key_id: str) -> HttpResponse:
        """Deletes at once."""
        key = self.find_key(key_id)
        if key.revoked_at:
            return self._show(key, DeleteForm(key), status=409)
        if request.POST.get("instead") == "disable":
            services.set_api_key_enabled(key, enabled=False, actor=self.actor)
            return self.done(switched(key, enabled=False), self.address("configuration"))
        form = DeleteForm(key, request.POST)
        if not form.is_valid():
            return self._show(key, form, status=422)
        confirmation = self.confirmed()
        if confirmation:
            return confirmation
        services.revoke_api_key(key, actor=self.actor)
        message = f"Key {key.name} deleted. Requests using it now get 401."
        return self.done(message, self.address("configuration"))

    def _show(self, key: ApiKey, form: DeleteForm, status: int = 200) -> HttpResponse:
        context = {"key": key, "form": form, "in_use": is_in_use(key)}
        return self.render("apikeys/delete.html", context, status=status)

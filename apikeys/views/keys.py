"""One key: its page, its changes, its end."""

from typing import Final

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from apikeys import services
from apikeys.models import ApiKey, ApiKeySecret
from apikeys.page_forms import DeleteForm, EditKeyForm, is_in_use
from apikeys.sentences import sentence
from apikeys.usage import unused_scopes
from apikeys.views.configuration import row
from apikeys.views.nouns import EditNoun, NounPage
from apikeys.views.usage import last_week
from organizations.exceptions import Conflict
from organizations.forms import SeenForm
from organizations.models import AuditEvent
from organizations.roles import Action
from organizations.stepup import StepUp

_TIMELINE: Final = 50


class KeyPage(NounPage[ApiKey]):
    """A page about one key."""

    noun = "key"
    id_prefix = "key"
    url_kwarg = "key_id"
    form = EditKeyForm

    @property
    def things(self) -> QuerySet[ApiKey]:
        """All of the organization, deleted or not."""
        keys = ApiKey.objects.visible_to(self.actor).for_organization(self.organization.id)
        return keys.for_pages()

    def home_of(self, thing: ApiKey | None) -> str:
        """The key's own page, or the list."""
        if thing is None:
            return self.address("configuration")
        return self.address("key", thing.public_id)


def overlap_of(key: ApiKey) -> ApiKeySecret | None:
    """The older secret that still works, if a rotation overlaps."""
    return key.secrets.overlapping(timezone.now()).order_by("-ends_at").first()


class KeyDetail(KeyPage):
    """Everything about a key but its secret."""

    def get(self, request: HttpRequest, **_: str) -> HttpResponse:
        """The page, also of a deleted key."""
        key = self.find()
        events = AuditEvent.objects.visible_to(self.actor).for_organization(self.organization.id)
        about = events.filter(target_id=key.pk).order_by("-id")[:_TIMELINE]
        context = {
            "key": key,
            "row": row(key),
            "older": overlap_of(key),
            "unused": unused_scopes(key),
            "timeline": [{"event": event, "sentence": sentence(event)} for event in about],
        }
        return self.render("apikeys/key.html", context)


class EditKey(EditNoun[ApiKey], KeyPage):
    """Name, description, permissions, expiry."""

    action = Action.MANAGE_KEYS

    def save(self, thing: ApiKey, form: SeenForm) -> object:
        """Calls the service."""
        return services.update_api_key(
            thing, actor=self.actor, changes=form.wanted(), seen_at=form.seen_at
        )


class SwitchKey(StepUp, KeyPage):
    """Disables a key, or enables it again."""

    action = Action.MANAGE_KEYS

    def get(self, request: HttpRequest, **_: str) -> HttpResponse:
        """Says what will happen."""
        return self.render("apikeys/switch.html", {"key": self.find()})

    def post(self, request: HttpRequest, **_: str) -> HttpResponse:
        """Does it; enabling, which gives access back, asks for a recent sign-in."""
        key, enabled = self.find(), request.POST.get("enabled") == "yes"
        confirmation = self.confirmed() if enabled else None
        if confirmation:
            return confirmation
        try:
            services.set_api_key_enabled(key, enabled=enabled, actor=self.actor)
        except Conflict as refusal:
            return self.render(
                "apikeys/switch.html", {"key": key, "refusal": refusal.message}, status=409
            )
        return self.done(switched(key, enabled=enabled), self.home_of(key))


def switched(key: ApiKey, *, enabled: bool) -> str:
    """What has happened to a key that was switched."""
    if enabled:
        return f"Key {key} enabled. It works again."
    return f"Key {key} disabled. Requests using it now get 401 until you enable it."


class DeleteKey(StepUp, KeyPage):
    """Ends a key for good, or disables it instead."""

    action = Action.MANAGE_KEYS

    def get(self, request: HttpRequest, **_: str) -> HttpResponse:
        """The facts that speak for or against it."""
        key = self.find()
        return self._show(key, DeleteForm(key))

    def post(self, request: HttpRequest, **_: str) -> HttpResponse:
        """Deletes at once."""
        key = self.find()
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
        message = f"Key {key} deleted. Requests using it now get 401."
        return self.done(message, self.address("configuration"))

    def _show(self, key: ApiKey, form: DeleteForm, status: int = 200) -> HttpResponse:
        context = {
            "key": key,
            "form": form,
            "in_use": is_in_use(key),
            "week": last_week(key),
        }
        return self.render("apikeys/delete.html", context, status=status)

"""Exports an organization's data as one JSON file, streamed while it is read."""

import json
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import Any, Final

from django.core.serializers.json import DjangoJSONEncoder
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone

from apikeys.models import ApiKey, KeyTemplate
from apikeys.pages.activity.filters import AuditFilter, find_all
from apikeys.pages.csv_export import HeldLines, begin_export
from core.bulkheads import Kind
from core.timestamps import rfc3339
from organizations.models import AuditEvent, Invitation, Membership, ServiceAccount
from organizations.pages.base import OrganizationPage
from organizations.roles import Action

Row = dict[str, Any]
#: Rows per query.
_BATCH: Final = 500


class OrganizationExport(OrganizationPage):
    """Exports on POST, because an export records an audit event."""

    action = Action.VIEW_KEYS
    section = "general"

    def waiting_kind(self, request: HttpRequest) -> Kind | None:
        return "export" if request.method == "POST" else None

    def get(self, request: HttpRequest) -> HttpResponse:
        """GET happens only after a login redirect: shows the page with the button."""
        return self.render("apikeys/organization_export.html")

    def post(self, request: HttpRequest) -> HttpResponseBase:
        place = begin_export(self.organization, what="all data", actor=self.actor)
        name = f"{self.organization.slug}-{timezone.now():%Y-%m-%d}.json"
        return StreamingHttpResponse(
            HeldLines(self._lines(), place),
            content_type="application/json",
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )

    def _lines(self) -> Iterator[str]:
        """A JSON object: facts about the organization, then one list per kind of object."""
        yield "{\n"
        yield f'"organization": {_text(self._organization())}'
        for name, rows in self._lists():
            yield f',\n"{name}": ['
            between = "\n"
            for row in rows:
                yield f"{between}{_text(row)}"
                between = ",\n"
            yield "\n]"
        yield "\n}\n"

    def _organization(self) -> Row:
        organization = self.organization
        return {
            "id": organization.public_id,
            "name": organization.name,
            "slug": organization.slug,
            "api_access_enabled": organization.api_access_enabled,
            "rate_limit_tier": organization.rate_limit_tier,
            "default_key_days": organization.default_key_days,
            "created_at": rfc3339(organization.created_at),
            "exported_at": rfc3339(timezone.now()),
        }

    def _lists(self) -> Iterator[tuple[str, Iterable[Row]]]:
        """Each list is read only when its turn comes."""
        yield "members", self._rows(Membership, "user", row=_member)
        yield "invitations", self._rows(Invitation, "invited_by", row=_invitation)
        yield "service_accounts", self._rows(ServiceAccount, row=_service_account)
        yield "templates", self._rows(KeyTemplate, row=_template)
        yield "keys", map(_key, self._keys())
        events = AuditEvent.objects.visible_log_of(self.organization.id, self.actor)
        found = chain.from_iterable(find_all(events, AuditFilter()))
        yield "audit_events", map(_event, found)

    def _rows(self, model: Any, *related: str, row: Callable[[Any], Row]) -> Iterator[Row]:
        own = model.objects.visible_to(self.actor).for_organization(self.organization.id)
        return map(row, _in_batches(own.select_related(*related) if related else own))

    def _keys(self) -> Iterator[ApiKey]:
        keys = ApiKey.objects.visible_to(self.actor).for_organization(self.organization.id)
        return _in_batches(keys.for_display().select_related("created_by"))


def _in_batches(rows: Any) -> Iterator[Any]:
    """All rows in the order of their IDs, with few of them in memory."""
    found = list(rows.order_by("pk")[:_BATCH])
    while found:
        yield from found
        found = list(rows.filter(pk__gt=found[-1].pk).order_by("pk")[:_BATCH])


def _text(row: Row) -> str:
    return json.dumps(row, cls=DjangoJSONEncoder)


def _fields(row: Any, *names: str) -> Row:
    """The named attributes of a row."""
    return {name: getattr(row, name) for name in names}


def _object(row: Any, *names: str) -> Row:
    """The same, after its public ID."""
    return {"id": row.public_id, **_fields(row, *names)}


def _member(member: Membership) -> Row:
    return {
        **_object(member.user, "name", "email"),
        "role": member.role,
        "joined_at": member.created_at,
        "last_sign_in_at": member.user.last_login,
    }


def _invitation(invitation: Invitation) -> Row:
    sender = invitation.invited_by
    return {
        **_fields(invitation, "email", "role", "state", "created_at", "expires_at"),
        "invited_by": str(sender) if sender else None,
    }


def _service_account(account: ServiceAccount) -> Row:
    return _object(account, "name", "description", "enabled", "created_at", "deleted_at")


def _template(template: KeyTemplate) -> Row:
    return _object(template, "name", "description", "scopes", "lifetime_days", "created_at")


def _key(key: ApiKey) -> Row:
    """Without the secret, of which only a digest is stored, and without that digest."""
    account, creator = key.service_account, key.created_by
    return {
        **_object(key, "name", "description", "environment", "scopes", "metadata", "status"),
        **_fields(key, "created_at", "expires_at", "last_used_at", "disabled_at", "revoked_at"),
        "prefix": key.key_prefix,
        "service_account_id": account.public_id if account else None,
        "created_by": str(creator) if creator else None,
    }


def _event(event: AuditEvent) -> Row:
    return {
        **_fields(event, "at", "event", "actor_kind", "target_type", "details"),
        **_fields(event, "ip", "user_agent", "request_id"),
        "actor": event.actor_label,
        "target": event.target_label,
    }

"""The audit trail, to be read only."""

import uuid
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from organizations.admin.base import ReadOnlyAdmin
from organizations.models import AuditEvent


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnlyAdmin[AuditEvent]):
    """Who did what, when and from where."""

    list_display = ("at", "actor_label", "event", "target_type", "target_label", "ip", "request_id")
    fields = readonly_fields = (
        "at",
        "event",
        "organization_id",
        "actor_kind",
        "actor_label",
        "actor_id",
        "target_type",
        "target_label",
        "target_id",
        "details",
        "ip",
        "user_agent",
        "request_id",
        "id",
    )
    list_display_links = ("at", "event")
    list_filter = ("event", "actor_kind", "at")
    search_fields = ("actor_label", "target_label", "request_id")
    search_help_text = "A person, a key, a target, a request id, or the UUID of any of them."
    show_full_result_count = False

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[AuditEvent], search_term: str
    ) -> tuple[QuerySet[AuditEvent], bool]:
        try:
            wanted = uuid.UUID(search_term.strip())
        except ValueError:
            return super().get_search_results(request, queryset, search_term)
        concerned = Q(target_id=wanted) | Q(actor_id=wanted) | Q(organization_id=wanted)
        return queryset.filter(concerned), False

    def subject_of(self, shown: AuditEvent) -> Any:
        return shown.target_id or shown.pk

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        return lookup == "organization_id" or super().lookup_allowed(lookup, value, request)

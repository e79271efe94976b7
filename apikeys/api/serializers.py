"""The fields of all formats. Formats choose and rename them; services check their values."""

from typing import Any, Final

from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail

from apikeys.api.fields import (
    AccessLevelField,
    ChoiceField,
    ConstantField,
    IssuedField,
    JSONField,
    PublicIdField,
    PublicIdListField,
    StrictBooleanField,
    StrictCharField,
    StrictIntegerField,
    TimestampField,
)
from apikeys.api.formats.base import WireFormat
from apikeys.models import ApiKey, Status
from apikeys.scopes import level_of
from apikeys.tokens import Environment
from core.exceptions import ErrorCode

#: The most unknown fields that one error names.
_REPORTED: Final = 50


class WireSerializer(serializers.Serializer[Any]):
    """Has the fields `context["fields"]`, in that order, under the names of `context["wire"]`.

    Rejects unknown fields by name. The fields `context["required"]` are required.
    """

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        wire: WireFormat = self.context["wire"]
        declared, fields = super().get_fields(), {}
        for name in self.context["fields"]:
            wire_name, chosen = wire.name(name), declared[name]
            if wire_name != name and chosen.source is None:
                chosen.source = name
            if isinstance(chosen, serializers.SerializerMethodField):
                chosen.method_name = f"get_{name}"
            if name in self.context.get("required", ()):
                chosen.required = True
            fields[wire_name] = chosen
        return fields

    def to_internal_value(self, data: Any) -> Any:
        unknown = [name for name in data if name not in self.fields][:_REPORTED]
        if unknown:
            detail = ErrorDetail("Unknown field.", ErrorCode.UNKNOWN_FIELD)
            raise serializers.ValidationError({name: [detail] for name in unknown})
        return super().to_internal_value(data)


class ApiKeySerializer(WireSerializer):
    """Response fields of a key. Those of a new secret come from `context["issued"]`."""

    id = PublicIdField("key")
    object = ConstantField("api_key")
    name = StrictCharField()
    description = StrictCharField()
    key_prefix = StrictCharField()
    key_type = StrictCharField(source="environment")
    status = StrictCharField()
    usable_status = serializers.SerializerMethodField()
    enabled = StrictBooleanField()
    scopes = JSONField()
    scope = serializers.SerializerMethodField()
    rate_limit_tier = StrictCharField(source="tier")
    metadata = JSONField()
    organization = serializers.SerializerMethodField()
    organization_id = PublicIdField("org")
    service_account = PublicIdField("sa", source="service_account_id")
    user = serializers.SerializerMethodField()
    created_by = serializers.SerializerMethodField()
    last_used_at = TimestampField()
    last_used_ip = StrictCharField()
    last_used_user_agent = serializers.SerializerMethodField()
    expires_at = TimestampField()
    created_at = TimestampField()
    updated_at = TimestampField()
    revoked_at = TimestampField()
    livemode = StrictBooleanField()
    key = IssuedField(lambda issued: issued.secret)
    prefix = IssuedField(lambda issued: issued.prefix)
    secret_already_delivered = ConstantField(True)
    previous_secret_expires_at = IssuedField(
        lambda issued: TimestampField().to_representation(issued.previous_ends_at)
    )

    def get_usable_status(self, key: ApiKey) -> str:
        """``active`` while requests with the key are accepted, otherwise ``revoked``."""
        account = key.service_account
        usable = key.organization.api_access_enabled and (account is None or account.enabled)
        return "active" if usable and key.status is Status.ACTIVE else "revoked"

    def get_scope(self, key: ApiKey) -> str:
        """The access level of the scopes."""
        return level_of(key.scopes)

    def get_organization(self, key: ApiKey) -> dict[str, str]:
        owner = key.organization
        return {"id": self.context["wire"].id_of("org", owner.id), "name": owner.name}

    def get_user(self, key: ApiKey) -> str | None:
        """The user who created the key, directly or with another key. None for service accounts."""
        if key.service_account_id or not key.created_by_id:
            return None
        text: str = self.context["wire"].id_of("usr", key.created_by_id)
        return text

    def get_created_by(self, key: ApiKey) -> str | None:
        """The API key or the user that created it. None for the system."""
        maker = key.created_by_key_id or key.created_by_id
        prefix = "key" if key.created_by_key_id else "usr"
        return self.context["wire"].id_of(prefix, maker) if maker else None

    def get_last_used_user_agent(self, key: ApiKey) -> str | None:
        """None before the first use, like `last_used_at` and `last_used_ip`."""
        return key.last_used_user_agent or None


class UsageSerializer(WireSerializer):
    """A key's usage: `period`, `tally` and `buckets`. Result codes are the same in every format."""

    interval = StrictCharField(source="period.interval")
    start = TimestampField(source="period.start")
    end = TimestampField(source="period.end")
    requests = StrictIntegerField(source="tally.requests")
    results = JSONField(source="tally.results")
    intervals = serializers.SerializerMethodField()

    def get_intervals(self, usage: Any) -> list[dict[str, Any]]:
        """All intervals, including empty ones."""
        return [
            {
                "start": TimestampField().to_representation(bucket.start),
                "requests": bucket.tally.requests,
                "results": bucket.tally.results,
            }
            for bucket in usage.buckets
        ]


class KeyBody(WireSerializer):
    """Request fields of a key. Omitted fields stay unchanged or get the service's default."""

    name = StrictCharField(required=False)
    description = StrictCharField(required=False)
    scopes = JSONField(required=False)
    scope = AccessLevelField(required=False, source="scopes")
    metadata = JSONField(required=False)
    expires_at = TimestampField(required=False, allow_null=True)
    enabled = StrictBooleanField(required=False)
    key_type = ChoiceField([*Environment], required=False, source="environment")
    service_account = StrictCharField(required=False, allow_null=True)
    grace_period = StrictIntegerField(required=False)
    force = StrictBooleanField(required=False)
    ids = PublicIdListField(required=False)
    cascade = StrictBooleanField(required=False)


class TemplateSerializer(WireSerializer):
    """Response fields of a template."""

    id = PublicIdField("tpl")
    name = StrictCharField()
    description = StrictCharField()
    scopes = JSONField()
    lifetime_days = StrictIntegerField()
    created_at = TimestampField()
    updated_at = TimestampField()


class TemplateBody(WireSerializer):
    """Request fields of a template."""

    name = StrictCharField(required=False)
    scopes = JSONField(required=False)
    description = StrictCharField(required=False)
    lifetime_days = StrictIntegerField(required=False, allow_null=True)

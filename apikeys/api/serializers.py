"""The shapes of the canonical format, field by field. Formats rename; nothing here decides."""

from collections.abc import Mapping
from typing import Any, Final

from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail

from apikeys.api.fields import Anything, Constant, Flag, Moment, OneOf, PublicId, Text, Whole
from apikeys.models import ApiKey
from apikeys.services import Issued
from apikeys.tokens import Environment
from organizations import ids
from organizations.exceptions import ErrorCode

#: More unknown fields than this are not named one by one.
_REPORTED: Final = 50


class WireSerializer(serializers.Serializer[Any]):
    """Fields under the names of `context["wire"]`; refuses, by name, what it does not know."""

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        names: Mapping[str, str] = self.context["wire"].names
        fields = {}
        for name, declared in super().get_fields().items():
            wire_name = names.get(name, name)
            if wire_name != name and declared.source is None:
                declared.source = name
            fields[wire_name] = declared
        return fields

    def to_internal_value(self, data: Any) -> Any:
        unknown = [name for name in data if name not in self.fields][:_REPORTED]
        if unknown:
            detail = ErrorDetail("There is no such field.", ErrorCode.UNKNOWN_FIELD)
            raise serializers.ValidationError({name: [detail] for name in unknown})
        return super().to_internal_value(data)


class ApiKeySerializer(WireSerializer):
    """A key as it is read (source: signa-get-api-key.txt)."""

    id = PublicId(source="*", read_only=True)
    object = Constant("api_key")
    name = Text()
    description = Text()
    key_prefix = Text()
    key_type = Text(source="environment")
    status = Text()
    enabled = Flag()
    scopes = Anything()
    rate_limit_tier = Text(source="organization.rate_limit_tier")
    metadata = Anything()
    service_account = PublicId()
    created_by = serializers.SerializerMethodField()
    last_used_at = Moment()
    last_used_ip = Text()
    last_used_user_agent = serializers.SerializerMethodField()
    expires_at = Moment()
    created_at = Moment()
    updated_at = Moment()
    revoked_at = Moment()
    livemode = Flag()

    def get_created_by(self, key: ApiKey) -> str | None:
        """The key or the person that made it; None for the system."""
        if key.created_by_key_id:
            return ids.public_id("key", key.created_by_key_id)
        return ids.public_id("usr", key.created_by_id) if key.created_by_id else None

    def get_last_used_user_agent(self, key: ApiKey) -> str | None:
        """None before the first use, as with the time and the address."""
        return key.last_used_user_agent or None


class IssuedKeySerializer(ApiKeySerializer):
    """A key with its new secret (source: signa-create-api-key.txt)."""

    def to_representation(self, instance: Issued) -> dict[str, Any]:
        wire = self.context["wire"]
        shown = super().to_representation(instance.key)
        shown[wire.name("key")] = instance.secret
        shown[wire.name("prefix")] = instance.key.key_prefix
        return shown


class RotatedKeySerializer(IssuedKeySerializer):
    """A key with its new secret and the end of the older one."""

    def to_representation(self, instance: Issued) -> dict[str, Any]:
        shown = super().to_representation(instance)
        name = self.context["wire"].name("previous_secret_expires_at")
        shown[name] = Moment().to_representation(instance.previous_ends_at)
        return shown


class CreateKeySerializer(WireSerializer):
    """The body of a create (source: signa-create-api-key.txt)."""

    name = Text()
    scopes = Anything()
    expires_at = Moment(required=False, allow_null=True)
    description = Text(required=False)
    key_type = OneOf([*Environment], required=False, source="environment")
    metadata = Anything(required=False)
    service_account = Text(required=False, allow_null=True)


class UpdateKeySerializer(WireSerializer):
    """The body of a change; what is left out stays."""

    name = Text(required=False)
    description = Text(required=False)
    scopes = Anything(required=False)
    metadata = Anything(required=False)
    expires_at = Moment(required=False, allow_null=True)
    enabled = Flag(required=False)


class RotateKeySerializer(WireSerializer):
    """The body of a rotation."""

    grace_period = Whole(required=False)
    force = Flag(required=False)


class TemplateSerializer(WireSerializer):
    """A template as it is read (source: signus-developer-settings.txt)."""

    id = PublicId(source="*", read_only=True)
    name = Text()
    description = Text()
    scopes = Anything()
    lifetime_days = Whole()
    created_at = Moment()
    updated_at = Moment()


class CreateTemplateSerializer(WireSerializer):
    """The body of a create."""

    name = Text()
    scopes = Anything()
    description = Text(required=False)
    lifetime_days = Whole(required=False, allow_null=True)


class UpdateTemplateSerializer(WireSerializer):
    """The body of a change; what is left out stays."""

    name = Text(required=False)
    scopes = Anything(required=False)
    description = Text(required=False)
    lifetime_days = Whole(required=False, allow_null=True)

"""Serializer fields that accept only their own JSON type, without coercion."""

from collections.abc import Callable, Collection
from typing import Any, Final
from uuid import UUID

from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail

from apikeys import conf
from apikeys.scopes import LEVELS, scopes_of
from apikeys.validation import read_timestamp
from core.exceptions import ErrorCode, Invalid
from core.timestamps import rfc3339

#: The most IDs in one request.
MOST_IDS: Final = 100
_TEXT: Final = "Give text in quotes."


class StrictCharField(serializers.Field[str, Any, str, Any]):
    """A JSON string. Services check its content."""

    default_error_messages = {"invalid": _TEXT}

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return data

    def to_representation(self, value: Any) -> str:
        return str(value)


class ChoiceField(StrictCharField):
    """One of a few strings. The error lists them and never repeats the value that was sent."""

    def __init__(self, choices: Collection[str], **options: Any) -> None:
        super().__init__(**options)
        self._choices = choices

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str) or data not in self._choices:
            message = f"Choose one of these: {', '.join(self._choices)}."
            raise serializers.ValidationError(message, ErrorCode.INVALID)
        return data


class StrictBooleanField(serializers.Field[bool, Any, bool, Any]):
    default_error_messages = {"invalid": "Give true or false."}

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid")
        return data

    def to_representation(self, value: Any) -> bool:
        return bool(value)


class StrictIntegerField(serializers.Field[int, Any, int, Any]):
    """A JSON integer from -10**9 to 10**9. As in JSON Schema, 3600.0 is an integer."""

    default_error_messages = {"invalid": "Give a whole number."}

    def to_internal_value(self, data: Any) -> int:
        is_number = isinstance(data, int | float) and not isinstance(data, bool)
        # A number like 1e400 is parsed as infinity, which the size check rejects.
        if not is_number or abs(data) > 10**9 or data % 1:
            self.fail("invalid")
        return int(data)

    def to_representation(self, value: Any) -> int:
        return int(value)


class JSONField(serializers.Field[Any, Any, Any, Any]):
    """Any JSON value, such as scopes or metadata. Services check it."""

    def to_internal_value(self, data: Any) -> Any:
        return data

    def to_representation(self, value: Any) -> Any:
        return value


class TimestampField(serializers.Field[Any, Any, str, Any]):
    """Accepts RFC 3339 with an offset, returns UTC with ``Z``."""

    def to_internal_value(self, data: Any) -> Any:
        try:
            return read_timestamp(data if isinstance(data, str) else "")
        except Invalid as refusal:
            raise serializers.ValidationError(refusal.message, ErrorCode.INVALID) from None

    def to_representation(self, value: Any) -> str:
        return rfc3339(value)


class PublicIdField(serializers.Field[Any, Any, str, Any]):
    """An object's ID in the text form of the format."""

    def __init__(self, prefix: str, **options: Any) -> None:
        super().__init__(read_only=True, **options)
        self.prefix = prefix

    def to_representation(self, value: UUID) -> str:
        text: str = self.context["wire"].id_of(self.prefix, value)
        return text


class PublicIdListField(serializers.Field[list[str], Any, Any, Any]):
    """A list of IDs as sent. The viewset checks whether they exist."""

    default_error_messages = {"invalid": f"Give a list of 1 to {MOST_IDS} ids."}

    def to_internal_value(self, data: Any) -> list[str]:
        if not isinstance(data, list) or not 1 <= len(data) <= MOST_IDS:
            self.fail("invalid")
        text = ErrorDetail(_TEXT, ErrorCode.INVALID)
        errors = {str(n): [text] for n, sent in enumerate(data) if not isinstance(sent, str)}
        if errors:
            raise serializers.ValidationError(errors)
        return data


class AccessLevelField(StrictCharField):
    """Turns ``read`` or ``read-write`` into those of its scopes that the actor may grant."""

    def to_internal_value(self, data: Any) -> list[str]:  # type: ignore[override]
        if data not in LEVELS:
            message = f"Choose one of these: {', '.join(LEVELS)}."
            raise serializers.ValidationError(message, ErrorCode.INVALID)
        scopes = scopes_of(data, conf.scopes(), self.context["actor"].scopes)
        if not scopes:
            message = "This API key holds no scope that it could hand out as this."
            raise serializers.ValidationError(message, ErrorCode.INSUFFICIENT_SCOPE)
        return scopes


class IssuedField(serializers.Field[Any, Any, Any, Any]):
    """A value from the operation's result, `context["issued"]`, such as a new secret."""

    def __init__(self, read: Callable[[Any], Any]) -> None:
        super().__init__(source="*", read_only=True)
        self.read = read

    def to_representation(self, value: Any) -> Any:
        return self.read(self.context["issued"])


class ConstantField(serializers.Field[Any, Any, Any, Any]):
    def __init__(self, value: Any) -> None:
        super().__init__(source="*", read_only=True)
        self.value = value

    def to_representation(self, value: Any) -> Any:
        return self.value

"""Field types that take exactly the JSON type that they name."""

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

#: The most ids that one call takes.
MOST_IDS: Final = 100
_TEXT: Final = "Give text in quotes."


class StrictCharField(serializers.Field[str, Any, str, Any]):
    """A JSON string as it is; what it may hold is for the domain to say."""

    default_error_messages = {"invalid": _TEXT}

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return data

    def to_representation(self, value: Any) -> str:
        return str(value)


class ChoiceField(StrictCharField):
    """One of a few words; the refusal lists them and does not repeat what was sent."""

    def __init__(self, choices: Collection[str], **options: Any) -> None:
        super().__init__(**options)
        self._choices = choices

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str) or data not in self._choices:
            message = f"Choose one of these: {', '.join(self._choices)}."
            raise serializers.ValidationError(message, ErrorCode.INVALID)
        return data


class StrictBooleanField(serializers.Field[bool, Any, bool, Any]):
    """A JSON boolean."""

    default_error_messages = {"invalid": "Give true or false."}

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid")
        return data

    def to_representation(self, value: Any) -> bool:
        return bool(value)


class StrictIntegerField(serializers.Field[int, Any, int, Any]):
    """A JSON integer of a moderate size. As in JSON Schema, 3600.0 is one."""

    default_error_messages = {"invalid": "Give a whole number."}

    def to_internal_value(self, data: Any) -> int:
        is_number = isinstance(data, int | float) and not isinstance(data, bool)
        # A number like 1e400 is read as infinity, which the size refuses.
        if not is_number or abs(data) > 10**9 or data % 1:
            self.fail("invalid")
        return int(data)

    def to_representation(self, value: Any) -> int:
        return int(value)


class JSONField(serializers.Field[Any, Any, Any, Any]):
    """A JSON value that the domain checks whole, such as scopes and metadata."""

    def to_internal_value(self, data: Any) -> Any:
        return data

    def to_representation(self, value: Any) -> Any:
        return value


class TimestampField(serializers.Field[Any, Any, str, Any]):
    """RFC 3339 with an offset in, UTC with ``Z`` out."""

    def to_internal_value(self, data: Any) -> Any:
        try:
            return read_timestamp(data if isinstance(data, str) else "")
        except Invalid as refusal:
            raise serializers.ValidationError(refusal.message, ErrorCode.INVALID) from None

    def to_representation(self, value: Any) -> str:
        return rfc3339(value)


class PublicIdField(serializers.Field[Any, Any, str, Any]):
    """An object's id in the format's text form."""

    def __init__(self, prefix: str, **options: Any) -> None:
        super().__init__(read_only=True, **options)
        self.prefix = prefix

    def to_representation(self, value: UUID) -> str:
        text: str = self.context["wire"].id_of(self.prefix, value)
        return text


class PublicIdListField(serializers.Field[list[str], Any, Any, Any]):
    """A list of ids as they were sent; which of them exist is for the viewset to say."""

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
    """``read`` or ``read-write`` in; the scopes that the actor may hand out and that it means."""

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
    """Something of what the operation has made, which is in the context of its answer only."""

    def __init__(self, read: Callable[[Any], Any]) -> None:
        super().__init__(source="*", read_only=True)
        self.read = read

    def to_representation(self, value: Any) -> Any:
        return self.read(self.context["issued"])


class ConstantField(serializers.Field[Any, Any, Any, Any]):
    """The same value in every answer."""

    def __init__(self, value: Any) -> None:
        super().__init__(source="*", read_only=True)
        self.value = value

    def to_representation(self, value: Any) -> Any:
        return self.value

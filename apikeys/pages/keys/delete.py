"""What a deletion of keys affects: the keys that they created."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from apikeys.models import ApiKey, ApiKeyQuerySet
from apikeys.services import MOST_REVOKED, created_keys
from core.exceptions import Conflict

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
        return f"Key {keys[0]} deleted. Requests with it now get 401."
    return f"{len(keys):,} keys deleted. Requests with them now get 401."


def without_deleted(keys: list[ApiKey]) -> list[ApiKey]:
    return [key for key in keys if not key.revoked_at]

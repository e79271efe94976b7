"""Pagination of keys by signed cursor: newest first, stable while keys are added."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.core.signing import BadSignature, Signer

from apikeys.models import ApiKey, ApiKeyQuerySet
from core.exceptions import Invalid


@dataclass(frozen=True, slots=True)
class Page:
    """One page of keys. `next_cursor` is None on the last page."""

    keys: list[ApiKey]
    next_cursor: str | None


def paginate(keys: ApiKeyQuerySet, *, limit: int, cursor: str | None, binding: object) -> Page:
    """The next `limit` keys after `cursor`. Raises Invalid for a cursor with another `binding`.

    `binding` identifies the list: organization, environment and filters.
    """
    signer = Signer(salt=f"key-list:{binding!r}")
    rows = keys.order_by("-id")
    if cursor is not None:
        rows = rows.filter(id__lt=_read(signer, cursor))
    page = list(rows[: limit + 1])
    last_id = page[limit - 1].id.hex if len(page) > limit else None
    return Page(page[:limit], signer.sign_object(last_id) if last_id else None)


def _read(signer: Signer, cursor: str) -> UUID:
    message = "This cursor belongs to another list. Start again without a cursor."
    try:
        position: Any = signer.unsign_object(cursor)
        return UUID(hex=position)
    except (BadSignature, ValueError, TypeError, AttributeError):
        raise Invalid.field("cursor", message) from None

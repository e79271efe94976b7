"""The limit of keys per organization. Revoked keys don't count, all others do."""

from apikeys import conf
from apikeys.models import ApiKeyQuerySet
from organizations.models import Organization


def limit_of(organization: Organization) -> int:
    """The limit set by staff, or the default. 0 for no limit."""
    own = organization.key_limit
    return conf.keys_per_organization() if own is None else own


def reached_message(organization: Organization, keys: ApiKeyQuerySet) -> str:
    """Why there can be no further key, as a sentence; nothing where there can.

    `keys` are the organization's keys.
    """
    limit = limit_of(organization)
    reached = keys.unrevoked().compare_count(limit) if limit else 0
    if not reached:
        return ""
    many = f"{limit:,} key{'' if limit == 1 else 's'}"
    if reached > 1:  # staff have lowered the limit
        return (
            f"This organization may have {many} and has more than that. Delete keys until there"
            f" are fewer than {limit:,} to create another."
        )
    return f"This organization has reached its limit of {many}. Delete one to create another."

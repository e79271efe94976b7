"""How many keys an organization may have at once. Revoked ones do not count, all others do."""

from apikeys import conf
from apikeys.models import ApiKeyQuerySet
from organizations.models import Organization


def limit_of(organization: Organization) -> int:
    """The limit that staff have set, or else that of the settings; 0 for any number of keys."""
    own = organization.key_limit
    return conf.keys_per_organization() if own is None else own


def reached_message(organization: Organization, keys: ApiKeyQuerySet) -> str:
    """Why there can be no further key, as a sentence; nothing where there can.

    `keys` are those of the organization.
    """
    limit = limit_of(organization)
    reached = keys.live().reach(limit) if limit else 0
    if not reached:
        return ""
    many = f"{limit:,} key{'' if limit == 1 else 's'}"
    if reached > 1:  # staff have lowered the limit since
        return (
            f"This organization may have {many} and has more than that. Delete keys until there"
            f" are fewer than {limit:,} to create another."
        )
    return f"This organization has reached its limit of {many}. Delete one to create another."

"""The member list: search, filters and pages, with a constant number of queries."""

from dataclasses import dataclass
from typing import Final, Self

from django.core.paginator import Page, Paginator
from django.db.models import F, Q, Value
from django.db.models.functions import Coalesce, Lower, NullIf
from django.http import QueryDict

from organizations.models import Invitation, InvitationQuerySet, Membership, MembershipQuerySet
from organizations.roles import Role

PAGE_SIZE: Final = 25
#: Value in the URL → label of the filter.
ROLES: Final = {"": "Role: All", Role.ADMIN: "Role: Admin", Role.MEMBER: "Role: Member"}
FACTORS: Final = {"": "Two-factor: All", "on": "Two-factor: On", "off": "Two-factor: Off"}
_LONGEST_SEARCH: Final = 100
#: A person without a name is shown, and sorted, by email address.
_SHOWN_NAME: Final = Lower(Coalesce(NullIf(F("user__name"), Value("")), F("user__email")))


@dataclass(frozen=True, slots=True)
class MemberFilter:
    """The parameters of the URL's query. Unknown or malformed ones are ignored."""

    search: str
    role: str
    factor: str
    page: str
    invitations_page: str

    @classmethod
    def from_query(cls, query: QueryDict) -> Self:
        """Reads `q`, `role`, `factor`, `page` and `invitations`."""
        role, factor = query.get("role", ""), query.get("factor", "")
        return cls(
            search=query.get("q", "").replace("\x00", "").strip()[:_LONGEST_SEARCH],
            role=role if role in ROLES else "",
            factor=factor if factor in FACTORS else "",
            page=query.get("page", ""),
            invitations_page=query.get("invitations", ""),
        )

    @property
    def is_filtered(self) -> bool:
        return bool(self.search or self.role or self.factor)

    @property
    def here(self) -> str:
        """The query of the page that is shown, with its question mark. May be empty."""
        query = self._query(page=self.page, invitations=self.invitations_page)
        return f"?{query}" if query else ""

    @property
    def pages(self) -> str:
        """The URL query to which `page` is added."""
        return self._query(invitations=self.invitations_page)

    @property
    def invitation_pages(self) -> str:
        """The URL query to which `invitations` is added."""
        return self._query(page=self.page)

    def _query(self, **pages: str) -> str:
        values = {"q": self.search, "role": self.role, "factor": self.factor, **pages}
        query = QueryDict(mutable=True)
        query.update({name: value for name, value in values.items() if value})
        return query.urlencode()

    def page_of(self, members: MembershipQuerySet) -> "Page[Membership]":
        """The members of the page, with what the list shows."""
        rows = members.with_second_factor().select_related("user")
        if self.search:
            rows = rows.matching(self.search)
        if self.role:
            rows = rows.filter(role=self.role)
        if self.factor:
            rows = rows.filter(Q(has_second_factor=self.factor == "on"))
        return Paginator(rows.order_by(_SHOWN_NAME, "id"), PAGE_SIZE).get_page(self.page)

    def invitations_of(self, sent: InvitationQuerySet) -> "Page[Invitation]":
        """The open invitations of the page."""
        rows = sent.open().select_related("invited_by").order_by("email")
        return Paginator(rows, PAGE_SIZE).get_page(self.invitations_page)

"""Every operation on organizations, for tests that all of them must pass."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from core.actors import Actor
from organizations import services
from organizations.email_kinds import every_kind
from organizations.events import OrganizationEvent as Event
from organizations.models import Invitation, Membership, Organization, ServiceAccount, User
from organizations.roles import Role
from tests.support.domain import Operation


@dataclass(frozen=True, slots=True)
class World:
    """What the operations work on."""

    acme: Organization
    admin: User
    newcomer: User
    membership: Membership
    account: ServiceAccount
    invitation: Invitation


def _link(token: str) -> str:
    return f"https://keys.example.com/invitations/{token}/"


#: Bound to an organization, and therefore subject to the policy.
BOUND: Final[dict[str, Operation[World]]] = {
    "rename organization": Operation(
        event=Event.RENAMED,
        target_type="Organization",
        run=lambda w, a: services.rename_organization(w.acme, name="Acme Two", actor=a),
    ),
    "set default expiry": Operation(
        event=Event.DEFAULT_EXPIRY_CHANGED,
        target_type="Organization",
        run=lambda w, a: services.set_default_expiry(w.acme, days=90, actor=a),
    ),
    "close the API": Operation(
        event=Event.API_ACCESS_DISABLED,
        target_type="Organization",
        run=lambda w, a: services.set_api_access(w.acme, enabled=False, actor=a),
    ),
    "close organization": Operation(
        event=Event.CLOSED,
        target_type="Organization",
        run=lambda w, a: services.close_organization(w.acme, actor=a),
    ),
    "change tier": Operation(
        event=Event.TIER_CHANGED,
        target_type="Organization",
        run=lambda w, a: services.set_rate_limit_tier(w.acme, tier="high", actor=a),
    ),
    "change limit of keys": Operation(
        event=Event.KEY_LIMIT_CHANGED,
        target_type="Organization",
        run=lambda w, a: services.set_key_limit(w.acme, limit=5, actor=a),
    ),
    "add member": Operation(
        event=Event.MEMBER_ADDED,
        target_type="Membership",
        run=lambda w, a: services.add_member(w.acme, user=w.newcomer, role=Role.MEMBER, actor=a),
    ),
    "change role": Operation(
        event=Event.MEMBER_ROLE_CHANGED,
        target_type="Membership",
        run=lambda w, a: services.change_role(w.membership, role=Role.ADMIN, actor=a),
    ),
    "remove member": Operation(
        event=Event.MEMBER_REMOVED,
        target_type="Membership",
        run=lambda w, a: services.remove_member(w.membership, actor=a),
        target_id=lambda w, _: w.membership.pk,
    ),
    "invite": Operation(
        event=Event.INVITATION_CREATED,
        target_type="Invitation",
        run=lambda w, a: services.invite(
            w.acme, email="ina@acme.example", role=Role.MEMBER, link=_link, actor=a
        ),
    ),
    "resend invitation": Operation(
        event=Event.INVITATION_RESENT,
        target_type="Invitation",
        run=lambda w, a: services.resend_invitation(w.invitation, link=_link, actor=a),
    ),
    "revoke invitation": Operation(
        event=Event.INVITATION_REVOKED,
        target_type="Invitation",
        run=lambda w, a: services.revoke_invitation(w.invitation, actor=a),
    ),
    "create service account": Operation(
        event=Event.SERVICE_ACCOUNT_CREATED,
        target_type="ServiceAccount",
        run=lambda w, a: services.create_service_account(w.acme, name="Second", actor=a),
    ),
    "update service account": Operation(
        event=Event.SERVICE_ACCOUNT_UPDATED,
        target_type="ServiceAccount",
        run=lambda w, a: services.update_service_account(
            w.account, name="Renamed", description="Runs by day.", actor=a
        ),
    ),
    "disable service account": Operation(
        event=Event.SERVICE_ACCOUNT_DISABLED,
        target_type="ServiceAccount",
        run=lambda w, a: services.set_service_account_enabled(w.account, enabled=False, actor=a),
    ),
}
#: On people, who belong to no single organization; for staff alone.
ON_PEOPLE: Final[dict[str, Operation[World]]] = {
    "create person": Operation(
        event=Event.PERSON_CREATED,
        target_type="User",
        run=lambda w, a: services.save_person(
            User(email="new@acme.example", password="!"), changed=["email"], actor=a
        ),
    ),
    "update person": Operation(
        event=Event.PERSON_UPDATED,
        target_type="User",
        run=lambda w, a: services.save_person(w.newcomer, changed=["is_active"], actor=a),
    ),
    "send password link": Operation(
        event=Event.PERSON_PASSWORD_LINK_SENT,
        target_type="User",
        run=lambda w, a: services.send_password_link(w.newcomer, link=_link, actor=a),
        target_id=lambda w, _: w.newcomer.pk,
    ),
    "choose emails": Operation(
        event=Event.PERSON_EMAILS_CHOSEN,
        target_type="User",
        run=lambda w, a: services.choose_emails(w.newcomer, kinds=[], actor=a),
        target_id=lambda w, _: w.newcomer.pk,
    ),
    "turn emails off": Operation(
        event=Event.PERSON_EMAILS_CHOSEN,
        target_type="User",
        run=lambda w, a: services.turn_off_emails(w.newcomer, kind=every_kind()[0], actor=a),
        target_id=lambda w, _: w.newcomer.pk,
    ),
    "end sessions": Operation(
        event=Event.PERSON_SESSIONS_ENDED,
        target_type="User",
        run=lambda w, a: services.end_sessions(w.newcomer, actor=a),
        target_id=lambda w, _: w.newcomer.pk,
    ),
    "remove second factors": Operation(
        event=Event.PERSON_SECOND_FACTORS_REMOVED,
        target_type="User",
        run=lambda w, a: services.remove_second_factors(w.newcomer, actor=a),
        target_id=lambda w, _: w.newcomer.pk,
    ),
}
ALL: Final[dict[str, Operation[World]]] = {
    **BOUND,
    **ON_PEOPLE,
    "create organization": Operation(
        event=Event.CREATED,
        target_type="Organization",
        run=lambda w, a: services.create_organization(name="New", admin=w.admin, actor=a),
    ),
}
#: Calls that ask for what is so already.
IDLE: Final[dict[str, Callable[[World, Actor], Any]]] = {
    "choose emails": lambda w, a: services.choose_emails(
        w.newcomer, kinds=[kind.name for kind in every_kind()], actor=a
    ),
    "update person": lambda w, a: services.save_person(w.newcomer, changed=[], actor=a),
    "end sessions": lambda w, a: services.end_sessions(w.admin, actor=a),
    "remove second factors": lambda w, a: services.remove_second_factors(w.admin, actor=a),
    "rename organization": lambda w, a: services.rename_organization(
        w.acme, name=f"  {w.acme.name} ", actor=a
    ),
    "set default expiry": lambda w, a: services.set_default_expiry(w.acme, days=None, actor=a),
    "open the API": lambda w, a: services.set_api_access(w.acme, enabled=True, actor=a),
    "change tier": lambda w, a: services.set_rate_limit_tier(w.acme, tier="standard", actor=a),
    "change limit of keys": lambda w, a: services.set_key_limit(w.acme, limit=None, actor=a),
    "change role": lambda w, a: services.change_role(w.membership, role=Role.MEMBER, actor=a),
    "update service account": lambda w, a: services.update_service_account(
        w.account, name="Robot", description="Runs at night.", actor=a
    ),
    "enable service account": lambda w, a: services.set_service_account_enabled(
        w.account, enabled=True, actor=a
    ),
}

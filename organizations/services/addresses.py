"""Email addresses of accounts: confirming, disowning and replacing unconfirmed ones.

Others ignore an address until its mailbox has confirmed it. Several accounts may wait for the same
address. The first that proves access to the mailbox gets it.
"""

from functools import partial

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.db import transaction
from django.utils import timezone

from core.actors import Actor
from core.transactions import operation
from organizations import audit, mail
from organizations.events import OrganizationEvent
from organizations.models import User
from organizations.services.retention import is_removable, remove_sign_up


@operation()
def disown_address(address: EmailAddress, *, actor: Actor) -> None:
    """Removes an unconfirmed address from the account that entered it. The link is the proof.

    An account that signs in with it keeps it but loses its password. Then only the owner of the
    address can use it, by a password reset. Does nothing once it is confirmed.
    """
    user = User.objects.select_for_update().get(pk=address.user_id)
    waiting = EmailAddress.objects.filter(pk=address.pk, verified=False).first()
    if waiting is None:
        return
    if waiting.email == user.email:
        user.set_unusable_password()
        user.save(update_fields=["password"])
        Authenticator.objects.filter(user=user).delete()
        _record_disowned(waiting, actor)
    else:
        _take(waiting, actor)


def replaceable_sign_up(email: str) -> User | None:
    """The user of an unconfirmed sign-up with `email`, if another sign-up may replace it."""
    user = User.objects.owner_of(email)
    return user if user and is_removable(user, timezone.now()) else None


@operation()
def replace_sign_up(user: User, *, actor: Actor) -> int | None:
    """Removes an unconfirmed sign-up, so that another one can use its address.

    Returns the ID of its address. The new sign-up reuses it, because mailed links contain it. None
    if it was confirmed in the meantime.
    """
    waiting = EmailAddress.objects.filter(user=user, email=user.email, verified=False).first()
    if waiting is None or not remove_sign_up(user.pk, timezone.now(), actor=actor):
        return None
    kept: int = waiting.pk
    return kept


def can_claim(address: EmailAddress) -> bool:
    """Whether no other account has confirmed the address or uses it otherwise."""
    others = User.objects.with_email(address.email).exclude(pk=address.user_id)
    return address.can_set_verified() and all(
        is_removable(other, timezone.now()) for other in others
    )


@operation()
def claim_address(address: EmailAddress, *, actor: Actor) -> bool:
    """Removes an address with a proven mailbox from all accounts that haven't proven it.

    False if this account can't have it, because another one was faster.
    """
    same = EmailAddress.objects.filter(email=address.email)
    rows = list(same.select_for_update().order_by("pk"))
    if address.pk not in {row.pk for row in rows} or not can_claim(address):
        return False
    for row in rows:
        if row.user_id != address.user_id and row.email != row.user.email:
            _take(row, actor)
    for other in User.objects.with_email(address.email).exclude(pk=address.user_id):
        remove_sign_up(other.pk, timezone.now(), actor=actor)
    return True


@operation()
def prove_mailbox(user: User, *, actor: Actor) -> None:
    """Confirms the only address of `user` after they opened a link sent there.

    Removes second factors: they were added before the owner of the mailbox was known. Does nothing
    if the address was confirmed before.
    """
    user = User.objects.select_for_update().get(pk=user.pk)
    addresses = list(EmailAddress.objects.filter(user=user))
    if [(one.email, one.verified) for one in addresses] != [(user.email, False)]:
        return
    (address,) = addresses
    if not claim_address(address, actor=actor):  # it belongs to another account now
        return
    address.verified = address.primary = True
    address.save()
    removed, _ = Authenticator.objects.filter(user=user).delete()
    details = {"email": address.email, "second_factors_removed": bool(removed)}
    audit.record(OrganizationEvent.PERSON_EMAIL_CONFIRMED, user, actor=actor, details=details)


def _take(waiting: EmailAddress, actor: Actor) -> None:
    """Removes an address that was only added. Emails the account's own address.

    The email is the same for each reason, so that it doesn't reveal who has an account.
    """
    context = {"email": waiting.email}
    waiting.delete()
    _record_disowned(waiting, actor)
    transaction.on_commit(partial(mail.send, "address_removed", waiting.user.email, context))


def _record_disowned(waiting: EmailAddress, actor: Actor) -> None:
    details = {"email": waiting.email}
    audit.record(
        OrganizationEvent.PERSON_EMAIL_DISOWNED, waiting.user, actor=actor, details=details
    )

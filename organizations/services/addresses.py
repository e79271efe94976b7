"""What the owner of a mailbox says about an address that an account has entered.

An address that its mailbox has not confirmed counts for nothing to others. Several accounts may
wait for the same one, and the first that proves the mailbox gets it.
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
    """Takes an unconfirmed address from the account that entered it; the mailed link is the proof.

    An account that signs in by it keeps it and loses its password, so that the address is of use
    to its owner alone, who can choose a password by mail. Nothing happens once it is confirmed.
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
    """The user who signed up with `email` and never confirmed it, if another sign-up may follow."""
    user = User.objects.behind(email)
    return user if user and is_removable(user, timezone.now()) else None


@operation()
def replace_sign_up(user: User, *, actor: Actor) -> int | None:
    """Removes an unconfirmed sign-up, so that another one with the same address can be made.

    Returns the id of its address. The other sign-up takes it over, because links that were mailed
    name it. None where it was confirmed in the meantime.
    """
    waiting = EmailAddress.objects.filter(user=user, email=user.email, verified=False).first()
    if waiting is None or not remove_sign_up(user.pk, timezone.now(), actor=actor):
        return None
    kept: int = waiting.pk
    return kept


def can_claim(address: EmailAddress) -> bool:
    """Whether no other account has confirmed the address or uses it in another way."""
    others = User.objects.with_email(address.email).exclude(pk=address.user_id)
    return address.can_set_verified() and all(
        is_removable(other, timezone.now()) for other in others
    )


@operation()
def claim_address(address: EmailAddress, *, actor: Actor) -> bool:
    """Takes an address whose mailbox is proved from all accounts that have not proved it.

    False where the account may not have it, because another was faster.
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
    """Confirms the only address of `user`, to whose mailbox a link has led.

    Second factors from before were added by whoever had signed up with the address, and fall.
    Nothing happens where the address was confirmed before.
    """
    user = User.objects.select_for_update().get(pk=user.pk)
    addresses = list(EmailAddress.objects.filter(user=user))
    if [(one.email, one.verified) for one in addresses] != [(user.email, False)]:
        return
    (address,) = addresses
    if not claim_address(address, actor=actor):  # it is another account's by now
        return
    address.verified = address.primary = True
    address.save()
    removed, _ = Authenticator.objects.filter(user=user).delete()
    details = {"email": address.email, "second_factors_removed": bool(removed)}
    audit.record(OrganizationEvent.PERSON_EMAIL_CONFIRMED, user, actor=actor, details=details)


def _take(waiting: EmailAddress, actor: Actor) -> None:
    """Removes an address that was only added. The account's own address gets a mail about it.

    The mail is the same for each reason, so that it does not tell who has an account.
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

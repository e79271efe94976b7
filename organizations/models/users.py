"""Users, who sign in with an email address."""

from typing import Any, ClassVar

from django.apps import apps
from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models.functions import Lower

from core import ids
from core.exceptions import Invalid
from core.sqlite_writers import turn
from core.text import PASSWORD_LENGTH, canonical_email, clean_email


def _addresses() -> models.QuerySet[Any]:
    """The addresses that people have confirmed or added, which allauth keeps."""
    addresses: models.QuerySet[Any] = apps.get_model("account", "EmailAddress").objects.all()
    return addresses


def _sessions() -> models.QuerySet[Any]:
    """The browser sessions of all users, which allauth lists."""
    sessions: models.QuerySet[Any] = apps.get_model("usersessions", "UserSession").objects.all()
    return sessions


class UserManager(BaseUserManager["User"]):
    """Finds and makes people by e-mail address, whatever its case."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """A person who signs in with `email`; without a password they cannot sign in by one.

        Raises ValidationError for a password that the pages would refuse.
        """
        if password and len(password) > PASSWORD_LENGTH:  # which the form to sign in refuses
            raise ValidationError(f"Use a password of {PASSWORD_LENGTH} characters or fewer.")
        try:
            user = self.model(email=clean_email(email), **fields)
        except Invalid as refusal:
            raise ValidationError({"email": refusal.message}) from None
        if password is not None:
            validate_password(password, user)
        user.set_password(password)
        user.full_clean(exclude=["password"])
        user.save(using=self._db)
        user.vouch_for_email()
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """A member of staff with every permission."""
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.with_email(username or "").get()

    def with_email(self, email: str) -> models.QuerySet["User"]:
        """The user with an email address in any case, by the unique index of the column."""
        return self.filter(email=canonical_email(email))

    def behind(self, email: str) -> "User | None":
        """The user whose account an email address opens.

        That is the user who has confirmed it, or else the one who signed up with it. An address
        that was only added to an account is not that account's yet.
        """
        email = canonical_email(email)
        confirmed = self.filter(emailaddress__email=email, emailaddress__verified=True)
        return confirmed.first() or self.with_email(email).first()


class User(AbstractBaseUser, PermissionsMixin):
    """A person, known by e-mail address."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    email = models.EmailField("e-mail address", unique=True)
    name = models.CharField(max_length=100, blank=True)
    is_active = models.BooleanField(
        "active", default=True, help_text="Clear this instead of deleting the person."
    )
    is_staff = models.BooleanField(
        "staff", default=False, help_text="May sign in to this administration."
    )
    date_joined = models.DateTimeField(auto_now_add=True)

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []
    objects: ClassVar[UserManager] = UserManager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(Lower("email"), name="one_user_per_email"),
        ]

    def __str__(self) -> str:
        return self.name or self.email

    @property
    def public_id(self) -> str:
        """The id that interfaces show: ``usr_…``."""
        return ids.public_id("usr", self.id)

    @classmethod
    def normalize_username(cls, username: str) -> str:
        """Without Django's NFKC, which would turn one email address into another."""
        return canonical_email(username)

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Saves the user, and signs a user who is or was deactivated out everywhere."""
        self.email = canonical_email(self.email)
        fields = kwargs.get("update_fields")
        with turn(), transaction.atomic():
            if not self._state.adding and (fields is None or "is_active" in fields):
                self._end_sessions_if_inactive()
            super().save(*args, **kwargs)

    def _end_sessions_if_inactive(self) -> None:
        """Deactivation alone leaves the rows of sessions, which would work again afterwards.

        The stored state counts as well: reactivation also ends what a sign-in that raced with the
        deactivation has left.
        """
        stored = User.objects.select_for_update().filter(pk=self.pk)
        if not (self.is_active and stored.values_list("is_active", flat=True).first()):
            for session in _sessions().filter(user=self):
                session.end()

    def vouch_for_email(self) -> None:
        """Takes the address as confirmed: whoever made or changed this person answers for it."""
        addresses = _addresses().filter(user=self)
        addresses.exclude(email=self.email).delete()
        confirmed = {"verified": True, "primary": True}
        addresses.update_or_create(user=self, email=self.email, defaults=confirmed)

    def confirmed_emails(self) -> set[str]:
        """The addresses that are proven to be this person's; the primary one need not be."""
        return set(_addresses().filter(user=self, verified=True).values_list("email", flat=True))

    def clean(self) -> None:
        """Refuses an address that somebody else has confirmed as one of theirs."""
        super().clean()
        theirs = _addresses().filter(email=self.email, verified=True).exclude(user=self)
        # PostgreSQL can't even be asked for what is no text.
        if self.email.isprintable() and theirs.exists():
            raise ValidationError({"email": "Somebody has this e-mail address already."})

    @property
    def organization_id(self) -> None:
        """A person may be in many organizations, so that their own events are in no one's trail."""
        return

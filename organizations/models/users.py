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
from core.sqlite_writers import write_lock
from core.text import PASSWORD_LENGTH, canonical_email, clean_email


def _addresses() -> models.QuerySet[Any]:
    """Email addresses of all users, as allauth stores them."""
    addresses: models.QuerySet[Any] = apps.get_model("account", "EmailAddress").objects.all()
    return addresses


def _sessions() -> models.QuerySet[Any]:
    """Browser sessions of all users, as allauth stores them."""
    sessions: models.QuerySet[Any] = apps.get_model("usersessions", "UserSession").objects.all()
    return sessions


class UserManager(BaseUserManager["User"]):
    """Finds and creates users by email address, ignoring case."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """A user without a password can't sign in with one.

        Raises ValidationError for a password that the pages would reject.
        """
        if password and len(password) > PASSWORD_LENGTH:  # the sign-in form rejects longer ones
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
        user.mark_email_verified()
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.with_email(username or "").get()

    def with_email(self, email: str) -> models.QuerySet["User"]:
        """The user with this primary address in any case, by the column's unique index."""
        return self.filter(email=canonical_email(email))

    def owner_of(self, email: str) -> "User | None":
        """The user whose account this email address opens.

        That is the user who confirmed it, or else the one who signed up with it. An address that
        was only added to an account doesn't belong to it yet.
        """
        email = canonical_email(email)
        confirmed = self.filter(emailaddress__email=email, emailaddress__verified=True)
        return confirmed.first() or self.with_email(email).first()


class User(AbstractBaseUser, PermissionsMixin):
    """A person, identified by email address."""

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
    #: Names of the kinds of emails that the person has turned off.
    #: The database has a default for processes of the version before, during an update.
    muted_emails = models.JSONField(
        default=list,
        db_default=models.Value([], output_field=models.JSONField()),
        blank=True,
        editable=False,
    )

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
        """The public ID: ``usr_…``."""
        return ids.public_id("usr", self.id)

    @classmethod
    def normalize_username(cls, username: str) -> str:
        """Skips Django's NFKC, which would change one email address into another."""
        return canonical_email(username)

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Saves the user. Signs a user who is or was deactivated out everywhere."""
        self.email = canonical_email(self.email)
        fields = kwargs.get("update_fields")
        with write_lock(), transaction.atomic():
            if not self._state.adding and (fields is None or "is_active" in fields):
                self._end_sessions_if_inactive()
            super().save(*args, **kwargs)

    def _end_sessions_if_inactive(self) -> None:
        """Deletes sessions, which would be valid again after a reactivation.

        The stored state counts too: reactivation also ends sessions from a sign-in that raced with
        the deactivation.
        """
        stored = User.objects.select_for_update().filter(pk=self.pk)
        if not (self.is_active and stored.values_list("is_active", flat=True).first()):
            for session in _sessions().filter(user=self):
                session.end()

    def mark_email_verified(self) -> None:
        """Marks the email address as verified, on the word of staff or a command."""
        addresses = _addresses().filter(user=self)
        addresses.exclude(email=self.email).delete()
        confirmed = {"verified": True, "primary": True}
        addresses.update_or_create(user=self, email=self.email, defaults=confirmed)

    def confirmed_emails(self) -> set[str]:
        """The user's verified addresses. The primary address may not be among them."""
        return set(_addresses().filter(user=self, verified=True).values_list("email", flat=True))

    def clean(self) -> None:
        """Rejects an address that another user has verified."""
        super().clean()
        theirs = _addresses().filter(email=self.email, verified=True).exclude(user=self)
        # PostgreSQL raises an error for unprintable text.
        if self.email.isprintable() and theirs.exists():
            raise ValidationError({"email": "This email address is already in use."})

    @property
    def organization_id(self) -> None:
        # A user can be in many organizations, so their own events belong to none.
        return

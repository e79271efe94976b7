"""Encrypts the seeds of second factors that were kept in the clear, and opens them again."""

from django.db import migrations

from organizations.signin import encryption


def _change_all(apps, change):
    factors = apps.get_model('mfa', 'Authenticator').objects
    # Locked, so that a recovery code that is used meanwhile stays used.
    for factor in factors.select_for_update().exclude(type='webauthn').order_by('pk'):
        try:
            factor.data = encryption.with_seeds(factor.data, change)
        except encryption.Unreadable:
            continue
        factor.save(update_fields=['data'])


def seal(apps, schema_editor):
    _change_all(apps, encryption.reseal)


def unseal(apps, schema_editor):
    _change_all(apps, encryption.unseal)


class Migration(migrations.Migration):

    dependencies = [
        ('organizations', '0002_invitation'),
        ('mfa', '0003_authenticator_type_uniq'),
    ]

    operations = [migrations.RunPython(seal, unseal)]

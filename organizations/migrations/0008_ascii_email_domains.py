from typing import Any

import idna
from django.db import migrations


def _ascii(email: str) -> str:
    local, at, domain = email.rpartition("@")
    try:
        return f"{local}{at}{idna.encode(domain, uts46=True).decode()}"
    except idna.IDNAError:
        return email


def write_domains_in_ascii(apps: Any, schema_editor: Any) -> None:
    """As new addresses are kept. One whose new form is another's stays as it is."""
    for app, name in (("organizations", "User"), ("account", "EmailAddress")):
        rows = apps.get_model(app, name).objects
        for pk, email in list(rows.values_list("pk", "email")):
            domain = email.rpartition("@")[2]
            if domain.isascii() or _ascii(email) == email:
                continue
            if not rows.filter(email=_ascii(email)).exists():
                rows.filter(pk=pk).update(email=_ascii(email))


class Migration(migrations.Migration):
    dependencies = [
        ("organizations", "0007_erasure"),
        ("account", "0009_emailaddress_unique_primary_email"),
    ]
    operations = [
        migrations.RunPython(write_domains_in_ascii, migrations.RunPython.noop, elidable=True)
    ]

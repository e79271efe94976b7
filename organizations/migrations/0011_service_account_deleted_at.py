from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("organizations", "0010_user_muted_emails")]
    operations = [
        migrations.AddField(
            model_name="serviceaccount",
            name="deleted_at",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.RemoveConstraint(
            model_name="serviceaccount", name="one_service_account_per_name"
        ),
        migrations.AddConstraint(
            model_name="serviceaccount",
            constraint=models.UniqueConstraint(
                condition=models.Q(("deleted_at", None)),
                fields=("organization", "name_key"),
                name="one_service_account_per_name",
            ),
        ),
        migrations.AddConstraint(
            model_name="serviceaccount",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("deleted_at", None), ("disabled_at__isnull", False), _connector="OR"
                ),
                name="a_deleted_service_account_is_disabled",
            ),
        ),
    ]

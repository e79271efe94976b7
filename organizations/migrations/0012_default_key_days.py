from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("organizations", "0011_service_account_deleted_at")]
    operations = [
        migrations.AddField(
            model_name="organization",
            name="default_key_days",
            field=models.PositiveSmallIntegerField(
                blank=True,
                choices=[
                    (None, "Never"),
                    (7, "7 days"),
                    (30, "30 days"),
                    (60, "60 days"),
                    (90, "90 days"),
                    (180, "180 days"),
                    (365, "1 year"),
                ],
                help_text="Preselected when someone creates an API key on the pages.",
                null=True,
                verbose_name="default expiry",
            ),
        ),
    ]

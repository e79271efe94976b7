from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("organizations", "0008_ascii_email_domains")]
    operations = [
        migrations.AddField(
            model_name="user",
            name="muted_emails",
            field=models.JSONField(blank=True, default=list, editable=False),
        ),
    ]

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("organizations", "0008_ascii_email_domains")]

    operations = [
        migrations.AddField(
            model_name="organization",
            name="closed_at",
            field=models.DateTimeField(blank=True, editable=False, null=True, verbose_name="closed"),
        ),
    ]

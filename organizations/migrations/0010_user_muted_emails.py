from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("organizations", "0009_organization_closed_at")]
    operations = [
        migrations.AddField(
            model_name="user",
            name="muted_emails",
            field=models.JSONField(
                blank=True,
                db_default=models.Value([], output_field=models.JSONField()),
                default=list,
                editable=False,
            ),
        ),
    ]

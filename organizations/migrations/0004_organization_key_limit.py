import django.core.validators
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('organizations', '0003_sealed_seeds'),
    ]

    operations = [
        migrations.AddField(
            model_name='organization',
            name='key_limit',
            field=models.PositiveIntegerField(blank=True, help_text='The most keys, deleted ones aside. Empty for the usual number, 0 for any.', null=True, validators=[django.core.validators.MaxValueValidator(999999999)], verbose_name='limit of keys'),
        ),
    ]

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('organizations', '0006_trail_number'),
    ]

    operations = [
        migrations.CreateModel(
            name='Erasure',
            fields=[
                ('subject_id', models.UUIDField(primary_key=True, serialize=False)),
                ('label', models.CharField(max_length=320)),
                ('at', models.DateTimeField(auto_now_add=True)),
            ],
            options={
                'abstract': False,
            },
        ),
    ]

from django.db import migrations, models

import core.sequences

#: The order that the trail had: ids were made by the clock.
_FILL = """
    UPDATE organizations_auditevent SET number = ordered.place
    FROM (SELECT id, row_number() OVER (ORDER BY id) AS place FROM organizations_auditevent)
        AS ordered
    WHERE ordered.id = organizations_auditevent.id
"""
#: The trigger that keeps events as they are; a new database has it only after `migrate`.
_SWITCH = """
    DO $$
    DECLARE
        found text;
    BEGIN
        FOR found IN SELECT tgname FROM pg_trigger WHERE NOT tgisinternal
            AND tgrelid = 'organizations_auditevent'::regclass
        LOOP
            EXECUTE 'ALTER TABLE organizations_auditevent ACTION TRIGGER ' || quote_ident(found);
        END LOOP;
    END $$
"""
_SEQUENCE = (
    "CREATE SEQUENCE organizations_auditevent_number_seq OWNED BY organizations_auditevent.number",
    "SELECT setval('organizations_auditevent_number_seq', max(number))"
    " FROM organizations_auditevent HAVING max(number) > 0",
    "ALTER TABLE organizations_auditevent"
    " ALTER number SET DEFAULT nextval('organizations_auditevent_number_seq')",
)


def fill(apps, schema_editor):
    """On PostgreSQL the table is locked from the new column on, so no event comes in between."""
    if schema_editor.connection.vendor != "postgresql":
        schema_editor.execute(_FILL)
        return
    schema_editor.execute(_SWITCH.replace("ACTION", "DISABLE"))
    schema_editor.execute(_FILL)
    schema_editor.execute(_SWITCH.replace("ACTION", "ENABLE"))
    for statement in _SEQUENCE:
        schema_editor.execute(statement)


def forget(apps, schema_editor):
    """The sequence goes with its column."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("ALTER TABLE organizations_auditevent ALTER number DROP DEFAULT")


class Migration(migrations.Migration):

    dependencies = [
        ('organizations', '0005_clock'),
    ]

    operations = [
        migrations.AddField(
            model_name='auditevent',
            name='number',
            field=core.sequences.SequenceField(editable=False, null=True),
        ),
        migrations.RunPython(fill, forget),
        migrations.AlterField(
            model_name='auditevent',
            name='number',
            field=core.sequences.SequenceField(editable=False, unique=True),
        ),
        migrations.AlterModelOptions(
            name='auditevent',
            options={'ordering': ['-number']},
        ),
        migrations.RemoveIndex(
            model_name='auditevent',
            name='audit_by_organization',
        ),
        migrations.RemoveIndex(
            model_name='auditevent',
            name='audit_by_target',
        ),
        migrations.AddIndex(
            model_name='auditevent',
            index=models.Index(fields=['organization_id', '-number'], name='audit_by_organization'),
        ),
        migrations.AddIndex(
            model_name='auditevent',
            index=models.Index(fields=['target_id', '-number'], name='audit_by_target'),
        ),
    ]

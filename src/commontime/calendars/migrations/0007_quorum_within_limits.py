"""Lower quorums that pages once took, so that their meetings can still be edited."""

from django.db import migrations


def lower_quorums(apps, schema_editor):
    meetings = apps.get_model("calendars", "Meeting").objects.using(schema_editor.connection.alias)
    meetings.filter(quorum__gt=1000).update(quorum=1000)
    meetings.filter(quorum=0).update(quorum=None)
    meetings.filter(buffer_minutes__gt=24 * 60).update(buffer_minutes=24 * 60)


class Migration(migrations.Migration):
    dependencies = [("calendars", "0006_checked_texts")]
    operations = [migrations.RunPython(lower_quorums, migrations.RunPython.noop, elidable=True)]

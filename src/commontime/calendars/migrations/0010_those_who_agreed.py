"""Whoever gave or suggested times, accepted an invitation, or owns the calendar has agreed."""

from django.db import migrations
from django.db.models import Exists, F, OuterRef, Q


def note_who_agreed(apps, schema_editor):
    def rows(model):
        return apps.get_model("calendars", model).objects.using(schema_editor.connection.alias)

    here = {"calendar": OuterRef("calendar")}
    rows("CalendarParticipant").filter(
        ~Q(packed="")
        | Q(calendar__owner=F("user"))
        # Times too short to be packed count too.
        | Exists(rows("NonBusyTime").filter(user=OuterRef("user"), **here))
        | Exists(
            rows("Invitation").filter(receiver=OuterRef("user"), status="accepted", **here)
        )
        | Exists(
            rows("ScheduleSuggestion").filter(
                author=OuterRef("user"), meeting__calendar=OuterRef("calendar")
            )
        )
    ).update(agreed_at=F("joined_at"))


class Migration(migrations.Migration):
    dependencies = [("calendars", "0009_agreed")]
    operations = [migrations.RunPython(note_who_agreed, migrations.RunPython.noop, elidable=True)]

"""Store meetings' texts as the checks make them; editing used to store them as they were typed."""

from django.db import migrations
from django.db.models import F, Q
from django.db.models.functions import Trim

TEXTS = ("title", "description", "location")


def clean_texts(apps, schema_editor):
    meetings = apps.get_model("calendars", "Meeting").objects.using(schema_editor.connection.alias)
    is_unclean = Q(description__contains="\r")
    for name in TEXTS:
        is_unclean |= ~Q(**{name: Trim(F(name))})
        is_unclean |= Q(**{f"{name}__startswith": "\n"}) | Q(**{f"{name}__endswith": "\n"})
    for meeting in meetings.filter(is_unclean).only(*TEXTS).iterator():
        for name in TEXTS:
            text = getattr(meeting, name)
            setattr(meeting, name, text.replace("\r\n", "\n").replace("\r", "\n").strip())
        meeting.save(update_fields=TEXTS)


class Migration(migrations.Migration):
    dependencies = [("calendars", "0005_seated")]
    operations = [migrations.RunPython(clean_texts, migrations.RunPython.noop, elidable=True)]

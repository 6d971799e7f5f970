"""Fill an empty database for the benchmark.

`python -m bench.http.data` prints the ids of what it made as JSON. It makes calendars of 10, 100
and 1,000 people, with 20 windows each in one week, on quarters of an hour, and an open meeting; and
a calendar of 120 people who have not answered yet.
"""

import json
import random
from datetime import timedelta
from typing import Any

import django

from stage.callers import PASSWORD

SIZES = (10, 100, 1000)
WINDOWS = 20
STORM = 120
CONTACTS = 100
QUARTER = timedelta(minutes=15)


def main() -> None:
    django.setup()
    from django.core.management import call_command
    from django.db import connection, transaction

    call_command("migrate", verbosity=0)
    with transaction.atomic():
        made = fill()
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")
    print(json.dumps(made))


def fill() -> dict[str, Any]:
    from django.contrib.auth.hashers import make_password
    from django.contrib.auth.models import User

    from commontime.accounts.models import UserSetting
    from commontime.calendars.models import Calendar, CalendarParticipant, Meeting, NonBusyTime
    from commontime.contacts.models import Contact
    from commontime.core import clock

    random.seed(7)
    password = make_password(PASSWORD)
    names = ["mina", *(f"person{n:04}" for n in range(1, max(SIZES)))]
    people = User.objects.bulk_create(
        User(
            username=name,
            email=f"{name}@example.org",
            first_name=name.title(),
            last_name="Example",
            password=password,
        )
        for name in names
    )
    UserSetting.objects.bulk_create(
        UserSetting(user=user, username_key=user.username, email_key=user.email) for user in people
    )
    mina = people[0]
    Contact.objects.bulk_create(
        Contact(owner=mina, contactee=user, created_at=clock.now())
        for user in people[1 : CONTACTS + 1]
    )

    calendars = {}
    for name, group, answered in [
        *((str(size), people[:size], True) for size in SIZES),
        ("storm", people[: STORM + 1], False),
    ]:
        calendar = Calendar.objects.create(owner=mina, name=f"Group of {len(group)}")
        CalendarParticipant.objects.bulk_create(
            CalendarParticipant(calendar=calendar, user=user) for user in group
        )
        if answered:
            NonBusyTime.objects.bulk_create(
                (window for user in group for window in _week(calendar, user)), batch_size=5000
            )
            Meeting.objects.create(calendar=calendar, title="Rehearsal", deadline=_monday())
        calendars[name] = str(calendar.pk)
    return {
        "calendars": calendars,
        "owner": mina.username,
        "stormers": names[1 : STORM + 1],
        "monday": _monday().isoformat(),
    }


def _monday() -> Any:
    from django.utils import timezone

    today = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
    return today + timedelta(days=28 - today.weekday())


def _week(calendar: Any, user: Any) -> Any:
    """Yield windows in one week that do not overlap."""
    from commontime.calendars.models import NonBusyTime

    cuts = sorted(random.sample(range(7 * 24 * 4), 2 * WINDOWS))
    for first, last in zip(cuts[::2], cuts[1::2], strict=True):
        start, end = _monday() + first * QUARTER, _monday() + last * QUARTER
        yield NonBusyTime(
            calendar=calendar,
            user=user,
            start_time=start,
            end_time=end,
            preference_level=random.choice((2, 5, 9)),
        )


if __name__ == "__main__":
    main()

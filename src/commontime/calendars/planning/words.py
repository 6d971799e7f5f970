"""People in words."""

from collections.abc import Sequence

from django.utils.translation import gettext as _

from commontime.calendars.queries.people import Person


def names_of(people: Sequence[Person], most: int = 5) -> str:
    names = [person.name for person in people[:most]]
    if len(people) > most:
        names.append(_("%(n)d more") % {"n": len(people) - most})
    return (
        names[0]
        if len(names) == 1
        else _("%(names)s and %(last)s") % {"names": ", ".join(names[:-1]), "last": names[-1]}
    )

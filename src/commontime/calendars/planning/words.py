"""People in words."""

from collections.abc import Sequence

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from commontime.calendars.queries.people import Person


def names_of(people: Sequence[Person], most: int = 5) -> str:
    names = [person.name for person in people[:most]]
    if len(people) > most:
        more = len(people) - most
        names.append(ngettext("%(n)d more", "%(n)d more", more) % {"n": more})
    return (
        names[0]
        if len(names) == 1
        else _("%(names)s and %(last)s") % {"names": ", ".join(names[:-1]), "last": names[-1]}
    )

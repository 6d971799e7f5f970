"""What people see. A door gets an object only from `…_for(user, id)`: hidden and missing are the
same NotFound.
"""

from commontime.calendars.queries import (
    calendars,
    export,
    invitations,
    meetings,
    path,
    people,
    plans,
    windows,
)

__all__ = ["calendars", "export", "invitations", "meetings", "path", "people", "plans", "windows"]

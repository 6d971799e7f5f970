"""Meetings as iCalendar text: requests, cancels and feeds. Pure values in, bytes out."""

from commontime.ical.documents import cancel, publish, request
from commontime.ical.values import Attendee, Event, Partstat, Person

__all__ = ["Attendee", "Event", "Partstat", "Person", "cancel", "publish", "request"]

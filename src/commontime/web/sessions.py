"""Django's sessions in the database, looked up by hand.

Every page needs one, and the ORM takes longer to build the statement than the database to answer.
"""

from django.contrib.sessions.backends import db

from commontime.core import clock, rows
from commontime.core.shapes import Fields

_KEPT = "SELECT session_data FROM django_session WHERE session_key = %s AND expire_date > %s"


class SessionStore(db.SessionStore):
    def load(self) -> Fields:
        row = rows.fetch_one(_KEPT, [self.session_key, rows.moment(clock.now())])
        if row is None:
            self._session_key = None
            return {}
        return self.decode(row[0])

"""Sessions as Django keeps them in the database; looking one up is compiled once, for every page does it."""

from typing import Any

from django.contrib.sessions.backends import db
from django.contrib.sessions.models import Session
from django.utils import timezone

from fairlead.common.questions import Question

_session = Question(lambda key: Session.objects.filter(session_key=key))


class SessionStore(db.SessionStore):
    @classmethod
    def get_model_class(cls) -> type[Session]:
        return Session

    def _get_session_from_db(self) -> Any:
        found = _session.first(self.session_key or "")
        if found is not None and found.expire_date > timezone.now():
            return found
        self._session_key = None
        return None

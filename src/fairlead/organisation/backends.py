"""How a person of a session is fetched, and how a password is checked."""

from typing import Any

from django.contrib.auth.backends import ModelBackend

from fairlead.common.questions import Question
from fairlead.organisation.models import User

_person = Question(lambda pk: User.objects.select_related("team").filter(pk=pk))


class PasswordBackend(ModelBackend):
    """Django's check of a password (as slow for unknown names as for known ones), without its permissions."""

    def get_user(self, user_id: Any) -> User | None:
        """The person with the team of today, in one query; nobody when deactivated."""
        user = _person.first(user_id)
        return user if user is not None and self.user_can_authenticate(user) else None

    def has_perm(self, user_obj: Any, perm: str, obj: Any = None) -> bool:
        return False  # rights come from organisation.rights alone

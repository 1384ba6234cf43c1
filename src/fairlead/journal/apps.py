from django.apps import AppConfig
from django.db.models.signals import post_migrate


class JournalConfig(AppConfig):
    name = "fairlead.journal"
    label = "journal"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from . import (
            guards,  # the connection's vendor is known only once settings are loaded
            tasks,  # noqa: F401 - the schedule learns of them
        )

        post_migrate.connect(guards.install_after_migrate, sender=self, dispatch_uid="journal.guards")

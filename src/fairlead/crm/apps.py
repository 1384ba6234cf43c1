from django.apps import AppConfig


class CrmConfig(AppConfig):
    name = "fairlead.crm"
    label = "crm"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from fairlead.work.registry import word_notifications

        from . import tasks  # noqa: F401 - the schedule learns of them
        from .catalogue import register_fields  # models are there only now
        from .field_uses import register_field_uses
        from .list_kinds import register_lists
        from .next_steps import register_next_steps
        from .notifying import WORDS
        from .rooms import register_rooms
        from .services.taking_back import register_ways_back
        from .tabs import register_tabs

        register_fields()
        register_rooms()
        register_lists()
        register_field_uses()
        register_next_steps()
        register_tabs()
        register_ways_back()
        word_notifications(WORDS)

from django.apps import AppConfig


class WorkConfig(AppConfig):
    name = "fairlead.work"
    label = "work"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from fairlead.organisation import registry

        from . import jobs
        from .services.undoing import register_ways_back  # models are there only now

        assert jobs.PAGE  # imported for what it registers
        register_ways_back()
        registry.PRIVATE_PAGES.update({"work:kept", "api:recent"})  # what somebody opened last

from django.apps import AppConfig


class OffersConfig(AppConfig):
    name = "fairlead.offers"
    label = "offers"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from fairlead.fields import uses

        from .catalogue import register_fields  # models are there only now
        from .lists import register_lists
        from .models import Contract
        from .rooms import register_rooms
        from .services.taking_back import register_ways_back

        register_fields()
        register_rooms()
        register_lists()
        uses.keep_values_in("contract", Contract._default_manager.all)
        register_ways_back()

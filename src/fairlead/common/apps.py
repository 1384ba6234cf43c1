from django.apps import AppConfig
from django.core.checks import register


class CommonConfig(AppConfig):
    name = "fairlead.common"
    label = "common"

    def ready(self) -> None:
        from fairlead.common.access import TAG, check_access  # the resolver is loaded only when a check runs

        register(check_access, TAG)

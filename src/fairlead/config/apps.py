from django.apps import AppConfig


class ConfigConfig(AppConfig):
    name = "fairlead.config"
    label = "config"

"""The addresses of the API. Loading this module loads the API with all its schemas."""

from fairlead.config.api import api

app_name = api.urls_namespace
urlpatterns = api.urls[0]
